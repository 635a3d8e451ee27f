"""Refusals of the agent (specification section 11: 400, 404, 409, 412, 503)."""

from typing import Any


class Refusal(Exception):
    """A refused call: HTTP status, a code for programs, a line for people, and further fields of the body."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.body: dict[str, Any] = {"code": code, "detail": detail, **more}


def unknown(what: str, name: str) -> Refusal:
    """404: there is no such fleet, instance or pool."""
    return Refusal(404, "UNKNOWN", f"there is no {what} {name!r}")


def wrong_state(detail: str, **more: Any) -> Refusal:
    """409: the call does not fit the state."""
    return Refusal(409, "WRONG_STATE", detail, **more)


def malformed(detail: str) -> Refusal:
    """400: a header or the body is missing or wrong."""
    return Refusal(400, "MALFORMED", detail)
