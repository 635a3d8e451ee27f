"""What the rules refuse, each with the contract's error code (section 8) and what would be accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class UpgradeError(Exception):
    """Base of every refusal: ``code`` and ``status`` are the contract's, ``extra`` goes into the problem body."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class ValidationFailed(UpgradeError):
    """A body or a parameter is not what the contract asks; ``errors`` names every offending field."""

    code, status, title = "VALIDATION_FAILED", 422, "Validation failed"

    def __init__(self, errors: Sequence[dict[str, str]]) -> None:
        names = ", ".join(error["field"] for error in errors)
        super().__init__(f"not accepted: {names}", errors=list(errors))

    @classmethod
    def of(cls, field: str, message: str) -> ValidationFailed:
        """The refusal of one field."""
        return cls([{"field": field, "message": message}])


class Unauthenticated(UpgradeError):
    """No valid token came with the call (section 9)."""

    code, status, title = "UNAUTHENTICATED", 401, "Not authenticated"


class Forbidden(UpgradeError):
    """The caller is known and may not do this (section 9)."""

    code, status, title = "FORBIDDEN", 403, "Forbidden"


class NotFound(UpgradeError):
    """The thing does not exist, or the caller may not know that it does."""

    code, status, title = "NOT_FOUND", 404, "Not found"


class NoActiveUpgrade(NotFound):
    """The tenant has no unfinished execution for the component (section 1)."""

    code, title = "NO_ACTIVE_UPGRADE", "No active upgrade"


class AlreadyExists(UpgradeError):
    """The same ``id`` twice in the registry (section 1)."""

    code, status, title = "ALREADY_EXISTS", 409, "Already exists"


class ActiveUpgradeExists(UpgradeError):
    """One unfinished execution for a tenant and component at a time (section 2)."""

    code, status, title = "ACTIVE_UPGRADE_EXISTS", 409, "An upgrade is active already"

    def __init__(self, execution_id: str) -> None:
        super().__init__(
            f"execution {execution_id} is not finished; wait for its end or cancel it", activeExecutionId=execution_id
        )


class VersionMismatch(UpgradeError):
    """A version belongs to another component than the one asked (section 2)."""

    code, status, title = "VERSION_MISMATCH", 422, "Version of another component"


class UpgradeBlocked(UpgradeError):
    """The upgrade path has blockers (sections 2 and 7)."""

    code, status, title = "UPGRADE_BLOCKED", 422, "Upgrade blocked"

    def __init__(self, blockers: Sequence[str]) -> None:
        super().__init__("; ".join(blockers), blockers=list(blockers))


class InvalidState(UpgradeError):
    """A command in a status that does not take it (section 3)."""

    code, status, title = "INVALID_STATE", 409, "Not possible in this status"

    def __init__(self, what: str, current: str, allowed_from: Sequence[str]) -> None:
        wanted = ", ".join(allowed_from) or "no status"
        super().__init__(
            f"{what} is not possible in {current}, only from {wanted}",
            currentStatus=current,
            allowedFrom=list(allowed_from),
        )

    @classmethod
    def because(cls, why: str, current: str, allowed_from: Sequence[str]) -> InvalidState:
        """The status would do, but something else that belongs to it does not."""
        refusal = cls("this", current, allowed_from)
        refusal.args, refusal.detail = (why,), why
        return refusal


class CanaryUnhealthy(UpgradeError):
    """A promotion of canaries that are not all well (section 4)."""

    code, status, title = "CANARY_UNHEALTHY", 409, "Canaries are not healthy"

    def __init__(self, why: str) -> None:
        super().__init__(f"not all canaries are well ({why}); force=true promotes all the same")


class IdempotencyConflict(UpgradeError):
    """The same Idempotency-Key with another body (section 1)."""

    code, status, title = "IDEMPOTENCY_CONFLICT", 409, "Idempotency-Key used for another request"


class ConcurrentChange(UpgradeError):
    """Somebody else wrote the row in between: read again and repeat."""

    code, status, title = "CONCURRENT_CHANGE", 409, "Changed by somebody else"


class LostLease(UpgradeError):
    """Another process has taken over the deployment: this one stops at once and writes nothing more."""

    code, status, title = "LOST_LEASE", 409, "Lease lost"


class Unavailable(UpgradeError):
    """Something that is needed does not answer; trying again later may help."""

    code, status, title = "SERVICE_UNAVAILABLE", 503, "Service unavailable"
