"""The errors, each with its code (specification section 8) and with what would be accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class UpgradeError(Exception):
    """Base of all errors: ``code`` is for programs (section 8), ``extra`` holds further fields of the response."""

    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class ValidationFailed(UpgradeError):
    """A body or a parameter does not conform to the specification; ``errors`` names every offending field."""

    code = "VALIDATION_FAILED"

    def __init__(self, errors: Sequence[dict[str, str]]) -> None:
        names = ", ".join(error["field"] for error in errors)
        super().__init__(f"not accepted: {names}", errors=list(errors))

    @classmethod
    def of(cls, field: str, message: str) -> ValidationFailed:
        """The error for one field."""
        return cls([{"field": field, "message": message}])


class Unauthenticated(UpgradeError):
    """The call carries no valid token (section 9)."""

    code = "UNAUTHENTICATED"


class Forbidden(UpgradeError):
    """The caller is authenticated but lacks the permission (section 9)."""

    code = "FORBIDDEN"


class NotFound(UpgradeError):
    """The resource does not exist, or the caller may not know that it does."""

    code = "NOT_FOUND"


class NoActiveUpgrade(NotFound):
    """The tenant has no unfinished execution for the component (section 1)."""

    code = "NO_ACTIVE_UPGRADE"


class AlreadyExists(UpgradeError):
    """The registry has an entry with this ``id`` already (section 1)."""

    code = "ALREADY_EXISTS"


class ActiveUpgradeExists(UpgradeError):
    """The tenant has an unfinished execution for the component, and only one at a time is allowed (section 2)."""

    code = "ACTIVE_UPGRADE_EXISTS"

    def __init__(self, execution_id: str | None = None) -> None:
        if execution_id is None:  # it ended before its id could be read
            super().__init__("another upgrade of this component was active until just now; send the request again")
        else:
            what = f"execution {execution_id} is not finished; wait for its end or cancel it"
            super().__init__(what, activeExecutionId=execution_id)


class VersionMismatch(UpgradeError):
    """A version belongs to another component than the requested one (section 2)."""

    code = "VERSION_MISMATCH"


class UpgradeBlocked(UpgradeError):
    """The upgrade path has blockers (sections 2 and 7)."""

    code = "UPGRADE_BLOCKED"

    def __init__(self, blockers: Sequence[str]) -> None:
        super().__init__("; ".join(blockers), blockers=list(blockers))


class InvalidState(UpgradeError):
    """The command is not allowed in the current status (section 3)."""

    code = "INVALID_STATE"

    def __init__(self, what: str, current: str, allowed_from: Sequence[str]) -> None:
        wanted = ", ".join(allowed_from) or "no status"
        super().__init__(
            f"{what} is not possible in {current}, only from {wanted}",
            currentStatus=current,
            allowedFrom=list(allowed_from),
        )

    @classmethod
    def because(cls, why: str, current: str, allowed_from: Sequence[str], **extra: object) -> InvalidState:
        """The status allows the command, but another condition, named by ``why``, does not."""
        refusal = cls("this", current, allowed_from)
        refusal.args, refusal.detail = (why,), why
        refusal.extra = refusal.extra | extra
        return refusal


class CanaryUnhealthy(UpgradeError):
    """The canaries cannot be promoted because not all of them are healthy (section 4)."""

    code = "CANARY_UNHEALTHY"

    def __init__(self, why: str) -> None:
        super().__init__(f"not all canaries are healthy ({why}); force=true promotes them anyway")


class IdempotencyConflict(UpgradeError):
    """The Idempotency-Key was used before with another request (section 1)."""

    code = "IDEMPOTENCY_CONFLICT"


class ConcurrentChange(UpgradeError):
    """Another transaction wrote the row in between: read it again and repeat."""

    code = "CONCURRENT_CHANGE"


class LostLease(UpgradeError):
    """Another process has taken over the deployment's lease: this one stops at once and writes nothing more."""

    code = "LOST_LEASE"


class Unavailable(UpgradeError):
    """A dependency of the service does not respond; trying again later may help."""

    code = "SERVICE_UNAVAILABLE"


class FleetUnusable(Unavailable):
    """The fleet does not answer, is unknown, or does not speak the protocol; names instance and field (section 11)."""

    code = "FLEET_UNUSABLE"
