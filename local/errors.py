"""Errors of the local stack, each with a one-line text."""


class LocalError(Exception):
    """A problem a person can act on: its text is one clear line (a log's last lines may follow)."""


class ComponentEndedError(LocalError):
    """A component ended while it was expected to become ready."""

    def __init__(self, component: str, last_lines: str) -> None:
        self.component = component
        super().__init__(f"{component} ended while the stack was starting; the last lines of its log:\n{last_lines}")
