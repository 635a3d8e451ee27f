"""What a fleet says is validated, cleaned and bounded here, before anything of ours sees it (specification section 11).

Types, known statuses, unique ids: an answer with anything else is not of the protocol, and none of it is used. Texts
are cleaned and cut, since one that the database cannot hold would stop every write. Unknown fields are ignored, so
that agents may say more than we ask.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, Health
from upgrade_orchestrator.service.ports.fleet import NotOfProtocol

MAX_INSTANCES = 20_000
"Instances of a fleet: the largest upgrade, twice, since BLUE_GREEN has two pools."
MAX_NAME, MAX_VERSION, MAX_TEXT = 255, 128, 2_000
"Characters of ids and pools, of versions, and of other texts. Only the last are cut: the others are sent back."
MAX_FREE = 2**31 - 1
_QUOTED = 60
_BEGINNING, _CUT = 400, "\n…\n"
MAX_PROBLEM = 500
"Characters that are kept of why an agent refuses a call."

_MOST_READ = 20 * MAX_TEXT
"Characters of a longer text that are cleaned before it is cut: its beginning and its end."
_HIDDEN = r"\u2028-\u202e\u2066-\u2069"
"Line separators, and what turns the direction of all that follows in a line: they would show a line as another one."
_CONTROL = re.compile(rf"[\x00-\x1f\x7f-\x9f{_HIDDEN}]+")
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
"What programs send to a terminal: colours, movements of the cursor, titles."
_CONTROL_IN_LINE = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_HIDDEN}]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
STATUSES = ("RUNNING", "DRAINING", "DRAINED", "UPGRADING", "STOPPED")


def cleaned(text: str) -> str:
    """The text without control characters (NUL among them) and lone surrogates, at most ``MAX_TEXT`` characters."""
    if len(text) > _MOST_READ:
        text = text[:_MOST_READ]
    if not text.isprintable():
        text = _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text))
    return text.strip()[:MAX_TEXT]


def cleaned_lines(text: str) -> str:
    """As ``cleaned``, for a text of several lines: their breaks and tabs stay, what a terminal would show does not.

    Of a text that is too long the beginning and the end are kept, because a program names its error last.
    """
    if len(text) > _MOST_READ:
        text = f"{text[: _MOST_READ // 2]}\n{text[-_MOST_READ // 2 :]}"
    if text.isprintable():
        return cleaned(text)
    lines = _TERMINAL.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    whole = "\n".join(each.rstrip() for each in _SURROGATE.sub("\ufffd", _CONTROL_IN_LINE.sub(" ", lines)).split("\n"))
    return _shortened(whole.strip())


def _shortened(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[:_BEGINNING].rstrip()}{_CUT}{text[_BEGINNING + len(_CUT) - MAX_TEXT :].lstrip()}"


def object_in(content: bytes) -> dict[str, Any]:
    """The JSON object; an empty one for an empty response.

    :raises NotOfProtocol: the content is anything else.
    """
    if not content:
        return {}
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except RecursionError:
        raise NotOfProtocol("the agent's response is not a JSON object: it is nested too deep") from None
    except ValueError as error:  # not UTF-8, not JSON, or a number with thousands of digits
        raise NotOfProtocol(f"the agent's response is not a JSON object: {cleaned(str(error))[:200]}") from None
    if not isinstance(found, dict):
        raise NotOfProtocol(f"the agent's response is not a JSON object, but {_quoted(found)}")
    return found


def fleet_of(body: dict[str, Any]) -> Fleet:
    """The fleet in the response to ``GET /fleets/{fleet}``.

    :raises NotOfProtocol: names the instance and the field.
    """
    try:
        said = _Fleet.model_validate(body)
    except ValidationError as error:
        raise NotOfProtocol(f"the agent's response does not follow the protocol: {_problem(error, body)}") from None
    instances = tuple(
        FleetInstance(each.id, each.version, each.status, each.healthy, each.leader, each.pool)
        for each in said.instances
    )
    if problem := _ids_problem(instances):
        raise NotOfProtocol(f"the agent's response does not follow the protocol: {problem}")
    return Fleet(said.fleet, instances, said.capacity.free_instances, said.traffic)


def health_of(body: dict[str, Any], instance_id: str) -> Health:
    """The health in the response to ``GET …/instances/{id}/health``.

    :raises NotOfProtocol: names the instance and the field.
    """
    try:
        said = _Health.model_validate(body)
    except ValidationError as error:
        what = f"the health of {instance_id} does not follow the protocol: {_problem(error, body)}"
        raise NotOfProtocol(what) from None
    return Health(said.healthy, said.version, said.detail or "")


def problem_of(content: bytes) -> str:
    """Why an agent refuses a call, if its answer says so in JSON, as a problem of RFC 9457 does; else empty."""
    try:
        body = object_in(content)
    except NotOfProtocol:
        return ""
    said = (body.get(name) for name in ("detail", "message", "error", "title"))
    text = next((each for each in said if isinstance(each, str) and each.strip()), "")
    return cleaned_lines(text)[:MAX_PROBLEM]


def token_of(said: object) -> int | None:
    """The fencing token that a 412 names, in its header as text or in its body as a number; None without one."""
    if isinstance(said, str) and re.fullmatch("[0-9]{1,18}", said):
        return int(said)
    return said if isinstance(said, int) and not isinstance(said, bool) and 0 <= said < 2**63 else None


def _clean(value: object) -> object:
    return cleaned(value) if isinstance(value, str) else value


def _clean_lines(value: object) -> object:
    return cleaned_lines(value) if isinstance(value, str) else value


def _known(value: object) -> object:
    """A version; null and empty are unknown."""
    return (cleaned(value) or None) if isinstance(value, str) else value


def _pool(value: object) -> object:
    """A pool; null and empty are the pool of a fleet without pools."""
    return "blue" if value is None else (_clean(value) or "blue")


_Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
_Id = Annotated[str, Field(min_length=1, max_length=MAX_NAME, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
_Text = Annotated[str, BeforeValidator(_clean)]
_Version = Annotated[Annotated[str, Field(max_length=MAX_VERSION)] | None, BeforeValidator(_known)]


class _Said(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Instance(_Said):
    id: _Id
    version: _Version = None
    status: Literal["RUNNING", "DRAINING", "DRAINED", "UPGRADING", "STOPPED"]
    healthy: bool
    leader: bool = False
    pool: Annotated[_Name, BeforeValidator(_pool)] = "blue"


class _Capacity(_Said):
    free_instances: Annotated[int, Field(alias="freeInstances", ge=0, le=MAX_FREE)]


class _Fleet(_Said):
    fleet: _Text
    instances: Annotated[list[_Instance], Field(max_length=MAX_INSTANCES, fail_fast=True)]
    capacity: _Capacity
    traffic: Annotated[_Name, BeforeValidator(_clean)]


class _Health(_Said):
    healthy: bool
    version: _Version = None
    detail: Annotated[str | None, BeforeValidator(_clean_lines)] = None


_MEANT = {
    "bool_type": "is not true or false",
    "string_type": "is not a text",
    "string_unicode": "is not Unicode: it has a lone surrogate",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "has control characters",
    "int_type": "is not a whole number",
    "list_type": "is not a list",
    "model_type": "is not an object",
    "literal_error": f"is not one of {', '.join(STATUSES)}",
}
"By Pydantic's type of error: what is wrong with the value."


def _problem(error: ValidationError, body: dict[str, Any]) -> str:
    """The first problem, with the instance and the field that it is in."""
    first = error.errors(include_url=False)[0]
    kind, where = first["type"], _where(first["loc"], body)
    if kind == "missing":
        return f"{where} is missing"
    if kind == "too_long":
        return f"{where}: more than {MAX_INSTANCES} instances"
    if kind == "string_too_long":
        return f"{where}: {_quoted(first['input'])} is longer than {first['ctx']['max_length']} characters"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"{where}: {_quoted(first['input'])} is not between 0 and {MAX_FREE}"
    return f"{where}: {_quoted(first['input'])} {_MEANT.get(kind, first['msg'])}"


def _where(location: tuple[int | str, ...], body: dict[str, Any]) -> str:
    """The place as ``instances[3] (i4).healthy``."""
    if len(location) < 2 or not isinstance(location[1], int):
        return ".".join(map(str, location))
    number, field = location[1], ".".join(map(str, location[2:]))
    instance = body["instances"][number]
    given = instance.get("id") if isinstance(instance, dict) else None
    name = f" ({cleaned(given)[:_QUOTED]})" if isinstance(given, str) and given else ""
    return f"instances[{number}]{name}{'.' if field else ''}{field}"


def _ids_problem(instances: tuple[FleetInstance, ...]) -> str | None:
    """Why the ids cannot be worked with: one twice, or one that no path can hold."""
    seen: dict[str, int] = {}
    for number, each in enumerate(instances):
        name = each.instance_id
        if name in (".", ".."):
            return f"instances[{number}] ({name}).id: a path cannot hold it"
        if name in seen:
            return f"instances[{number}] ({name[:_QUOTED]}).id: instances[{seen[name]}] has the same"
        seen[name] = number
    return None


def _quoted(value: object) -> str:
    """The value as in JSON, cut."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = cleaned(value) if isinstance(value, str) else json.dumps(value)
    short = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"
    return f'"{short}"' if isinstance(value, str) else short
