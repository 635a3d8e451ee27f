"""What the rules refuse, each with its error code (specification, section 8) and what would be accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class UpgradeError(Exception):
    """Base of every refusal: ``code`` is for programs (section 8), ``extra`` are further values by name."""

    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class ValidationFailed(UpgradeError):
    """A body or a parameter is not what the contract asks; ``errors`` names every offending field."""

    code = "VALIDATION_FAILED"

    def __init__(self, errors: Sequence[dict[str, str]]) -> None:
        names = ", ".join(error["field"] for error in errors)
        super().__init__(f"not accepted: {names}", errors=list(errors))

    @classmethod
    def of(cls, field: str, message: str) -> ValidationFailed:
        """The refusal of one field."""
        return cls([{"field": field, "message": message}])


class Unauthenticated(UpgradeError):
    """No valid token came with the call (section 9)."""

    code = "UNAUTHENTICATED"


class Forbidden(UpgradeError):
    """The caller is known and may not do this (section 9)."""

    code = "FORBIDDEN"


class NotFound(UpgradeError):
    """The thing does not exist, or the caller may not know that it does."""

    code = "NOT_FOUND"


class NoActiveUpgrade(NotFound):
    """The tenant has no unfinished execution for the component (section 1)."""

    code = "NO_ACTIVE_UPGRADE"


class AlreadyExists(UpgradeError):
    """The same ``id`` twice in the registry (section 1)."""

    code = "ALREADY_EXISTS"


class ActiveUpgradeExists(UpgradeError):
    """One unfinished execution for a tenant and component at a time (section 2)."""

    code = "ACTIVE_UPGRADE_EXISTS"

    def __init__(self, execution_id: str) -> None:
        super().__init__(
            f"execution {execution_id} is not finished; wait for its end or cancel it", activeExecutionId=execution_id
        )


class VersionMismatch(UpgradeError):
    """A version belongs to another component than the one asked (section 2)."""

    code = "VERSION_MISMATCH"


class UpgradeBlocked(UpgradeError):
    """The upgrade path has blockers (sections 2 and 7)."""

    code = "UPGRADE_BLOCKED"

    def __init__(self, blockers: Sequence[str]) -> None:
        super().__init__("; ".join(blockers), blockers=list(blockers))


class InvalidState(UpgradeError):
    """A command in a status that does not take it (section 3)."""

    code = "INVALID_STATE"

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

    code = "CANARY_UNHEALTHY"

    def __init__(self, why: str) -> None:
        super().__init__(f"not all canaries are well ({why}); force=true promotes all the same")


class IdempotencyConflict(UpgradeError):
    """The same Idempotency-Key with another body (section 1)."""

    code = "IDEMPOTENCY_CONFLICT"


class ConcurrentChange(UpgradeError):
    """Somebody else wrote the row in between: read again and repeat."""

    code = "CONCURRENT_CHANGE"


class LostLease(UpgradeError):
    """Another process has taken over the deployment: this one stops at once and writes nothing more."""

    code = "LOST_LEASE"


class Unavailable(UpgradeError):
    """Something that is needed does not answer; trying again later may help."""

    code = "SERVICE_UNAVAILABLE"
