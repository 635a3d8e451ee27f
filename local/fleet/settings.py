"""Settings with which a fleet is created, and which a reset may change (the /demo administration, not in section
11).
"""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from local.fleet.refusal import malformed

Name = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,27}$")
]  # an instance id, fleet-pool-number, stays under 64
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Count = Annotated[int, Field(ge=0, le=1000)]


class Body(BaseModel):
    """A request body in camelCase; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True)

    @classmethod
    def read(cls, body: Any) -> Self:
        """The checked body.

        :raises Refusal: 400, naming each wrong field.
        """
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise malformed(_problems(error)) from None


class Settings(Body):
    """A fleet: its size, first version, timing (seconds); `free_instances` is the room beside it, by default its
    size.
    """

    size: Annotated[int, Field(ge=1, le=1000)]
    version: Version
    upgrade_seconds: Seconds = 0.5
    drain_seconds: Seconds = 0.0
    free_instances: Count | None = None
    leader: str | None = None

    @property
    def capacity(self) -> int:
        """How many instances fit in all."""
        return self.size + (self.size if self.free_instances is None else self.free_instances)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return self.model_dump(by_alias=True)


class Reset(Body):
    """Reset to `version`; timing that is left out stays; `forget_fencing` forgets tokens and idempotency keys too."""

    version: Version
    upgrade_seconds: Seconds | None = None
    drain_seconds: Seconds | None = None
    free_instances: Count | None = None
    forget_fencing: bool = False

    def applied_to(self, settings: Settings) -> Settings:
        """The fleet's settings after the reset."""
        return settings.model_copy(update=self.model_dump(exclude={"forget_fencing"}, exclude_none=True))


class NewVersion(Body):
    """Body of PUT …/version."""

    version: Version


class NewPool(Body):
    """Body of PUT …/pools/{pool}."""

    version: Version
    size: Annotated[int, Field(ge=1, le=1000)]


class Traffic(Body):
    """Body of PUT …/traffic."""

    pool: str


_NAME: TypeAdapter[str] = TypeAdapter(Name)


def checked_name(name: str) -> str:
    """The name of a new fleet or pool.

    :raises Refusal: 400, it is malformed.
    """
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        raise malformed(f"name {name!r}: {_problems(error)}") from None


def _problems(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in error.errors())
