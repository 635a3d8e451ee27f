"""The door through which everything comes that a fleet says: tables of answers, and any JSON at all."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upgrade_orchestrator.adapters.fleet import door
from upgrade_orchestrator.adapters.fleet.agent import AgentDriver, key_in_header
from upgrade_orchestrator.adapters.fleet.client import AgentResponse
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, Health
from upgrade_orchestrator.service.ports.fleet import (
    Busy,
    Conflict,
    FleetError,
    NotOfProtocol,
    RefusedToken,
    StaleToken,
    UnknownFleet,
)

ONE = {"id": "i1", "version": "3.6.0", "status": "RUNNING", "healthy": True, "leader": True, "pool": "green"}
FINE: dict[str, Any] = {"fleet": "f", "instances": [ONE], "capacity": {"freeInstances": 2}, "traffic": "green"}


class Agent:
    """Answers every call in the same way."""

    def __init__(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.response = AgentResponse(status, content, headers or {})
        self.sent: list[dict[str, str]] = []

    async def request(self, method: str, path: str, *, headers: Any = None, json: Any = None) -> AgentResponse:
        self.sent.append({"call": f"{method} {path}", **(headers or {})})
        return self.response


def driver(status: int, content: bytes | Any, headers: dict[str, str] | None = None) -> AgentDriver:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return AgentDriver(Agent(status, raw, headers), "f")


def with_instance(**changes: Any) -> dict[str, Any]:
    """A fleet of i1, i2, i3 and one more with these fields."""
    others = [ONE | {"id": f"i{number}"} for number in (1, 2, 3)]
    given = {name: value for name, value in (ONE | {"id": "i4"} | changes).items() if value is not ...}
    return FINE | {"instances": [*others, given]}


async def test_fleet_of_the_protocol_is_read() -> None:
    found = await driver(200, FINE | {"more": {"unknown": [None]}}).fleet()
    assert found == Fleet("f", (FleetInstance("i1", "3.6.0", "RUNNING", True, True, "green"),), 2, "green")


async def test_leader_and_pool_may_be_left_out() -> None:
    found = await driver(200, with_instance(leader=..., pool=...)).fleet()
    assert (found.instances[3].leader, found.instances[3].pool) == (False, "blue")


# fault 9
@pytest.mark.parametrize("version", [None, "", " ", ...])
async def test_version_is_unknown_when_the_fleet_does_not_tell_it(version: Any) -> None:
    found = await driver(200, with_instance(version=version, status="STOPPED", healthy=False)).fleet()
    assert found.instances[3].version is None
    assert not found.instances[3].runs("3.6.0")


# faults 5 and 6
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"healthy": "false"}, 'instances[3] (i4).healthy: "false" is not true or false'),
        ({"healthy": 1}, "instances[3] (i4).healthy: 1 is not true or false"),
        ({"healthy": None}, "instances[3] (i4).healthy: null is not true or false"),
        ({"healthy": ...}, "instances[3] (i4).healthy is missing"),
        ({"leader": "yes"}, 'instances[3] (i4).leader: "yes" is not true or false'),
        ({"status": "running"}, 'instances[3] (i4).status: "running" is not one of RUNNING, DRAINING, DRAINED'),
        ({"status": ["RUNNING"]}, "instances[3] (i4).status: a list is not one of RUNNING"),
        ({"version": 3.7}, "instances[3] (i4).version: 3.7 is not a text"),
        ({"version": 37}, "instances[3] (i4).version: 37 is not a text"),
        ({"version": "v" * 129}, "is longer than 128 characters"),
        ({"id": ""}, 'instances[3].id: "" is empty'),
        ({"id": 4}, "instances[3].id: 4 is not a text"),
        ({"id": "i" * 256}, "is longer than 255 characters"),
        ({"id": "a\nb"}, 'instances[3] (a b).id: "a b" has control characters'),
        ({"id": "a\x00"}, "has control characters"),
        ({"id": "a\ud800"}, "is not Unicode: it has a lone surrogate"),
        ({"id": "i2"}, "instances[3] (i2).id: instances[1] has the same"),
        ({"id": ".."}, "instances[3] (..).id: a path cannot hold it"),
        ({"pool": 7}, "instances[3] (i4).pool: 7 is not a text"),
        ({"pool": "p" * 256}, "is longer than 255 characters"),
    ],
)
async def test_instance_that_is_not_of_the_protocol_is_refused_by_name(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(NotOfProtocol) as refused:
        await driver(200, with_instance(**changes)).fleet()
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


# fault 6
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[]", "not a JSON object, but a list"),
        (b"nothing", "not a JSON object"),
        (b"", "fleet is missing"),
        (b"\xff\xfe{", "not a JSON object"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b'{"fleet": ' + b"1" * 5_000 + b"}", "not a JSON object"),
        (json.dumps(FINE | {"instances": None}).encode(), "instances: null is not a list"),
        (json.dumps(FINE | {"instances": {}}).encode(), "instances: an object is not a list"),
        (json.dumps(FINE | {"instances": [5]}).encode(), "instances[0]: 5 is not an object"),
        (json.dumps(FINE | {"instances": [ONE] * 20_001}).encode(), "instances: more than 20000 instances"),
        (json.dumps(FINE | {"capacity": None}).encode(), "capacity: null is not an object"),
        (json.dumps(FINE | {"capacity": {}}).encode(), "capacity.freeInstances is missing"),
        (json.dumps(FINE | {"capacity": {"freeInstances": float("inf")}}).encode(), "Infinity is not a whole number"),
        (json.dumps(FINE | {"capacity": {"freeInstances": float("nan")}}).encode(), "NaN is not a whole number"),
        (json.dumps(FINE | {"capacity": {"freeInstances": "2"}}).encode(), '"2" is not a whole number'),
        (json.dumps(FINE | {"capacity": {"freeInstances": True}}).encode(), "true is not a whole number"),
        (json.dumps(FINE | {"capacity": {"freeInstances": -1}}).encode(), "-1 is not between 0 and 2147483647"),
        (json.dumps(FINE | {"capacity": {"freeInstances": 10**30}}).encode(), "is not between 0 and 2147483647"),
        (json.dumps(FINE | {"traffic": None}).encode(), "traffic: null is not a text"),
        (json.dumps(FINE | {"traffic": ""}).encode(), 'traffic: "" is empty'),
    ],
)
async def test_fleet_that_is_not_of_the_protocol_is_refused_by_field(content: bytes, said: str) -> None:
    with pytest.raises(NotOfProtocol) as refused:
        await driver(200, content).fleet()
    assert said in str(refused.value)
    assert len(str(refused.value)) < 400


async def test_byte_order_mark_and_control_characters_in_texts_do_no_harm() -> None:
    body = with_instance(version=" 3.7.0\n", pool="a\x00b\ud800")
    found = await driver(200, b"\xef\xbb\xbf" + json.dumps(body).encode()).fleet()
    assert (found.instances[3].version, found.instances[3].pool) == ("3.7.0", "a b\ufffd")


# fault 10
@pytest.mark.parametrize("name", ["brøker-1", "узел-1", "节点", "a b", "a/b", "i" * 255, "🙂" * 255])
async def test_id_of_any_script_works_in_every_call(name: str) -> None:
    found = await driver(200, with_instance(id=name)).fleet()
    assert found.instances[3].instance_id == name
    agent = Agent(202, b"")
    fleet = AgentDriver(agent, "f")
    await fleet.drain(name, 7, f"e.{name}.1.drain")
    await fleet.undrain(name, 7, f"e.{name}.1.undrain")
    await fleet.set_version(name, "2", 7, f"e.{name}.1.version")
    keys = [each["Idempotency-Key"] for each in agent.sent]
    assert all(key.isascii() and key.isprintable() and len(key) <= 255 for key in keys)
    assert len(set(keys)) == 3
    assert all(each["call"].isascii() for each in agent.sent)


def test_key_of_ascii_is_sent_as_it_is_and_others_differ_where_their_ids_do() -> None:
    assert key_in_header("e1.i-1.1.drain.forth-draining") == "e1.i-1.1.drain.forth-draining"
    keys = {key_in_header(f"e.{name}.1.drain") for name in ("brøker", "brøkør", "br-ker", "br%C3%B8ker", "i" * 300)}
    assert len(keys) == 5
    assert key_in_header("e.brøker.1.drain") == key_in_header("e.brøker.1.drain")


# fault 4
async def test_text_of_the_health_is_cleaned_and_cut() -> None:
    body = {"healthy": False, "version": "3\x00", "detail": "disk\x00full\ud800" + "x" * 3000}
    found = await driver(503, body).health("i1")
    assert found.detail.startswith("disk full\ufffdx")
    assert (found.version, len(found.detail)) == ("3", 2000)
    found.detail.encode()


async def test_detail_of_several_lines_keeps_their_breaks_and_tabs_and_nothing_else_of_a_terminal() -> None:
    printed = "\x1b[31mERROR\x1b[0m: no space\r\n\tat /opt\x00/lib\x07  \r50 %\n\x1b]0;pip\x07done\x85\n\n"
    found = await driver(503, {"healthy": False, "version": "3", "detail": printed}).health("i1")
    assert found.detail == "ERROR: no space\n\tat /opt /lib\n50 %\ndone"


async def test_detail_that_is_too_long_keeps_its_beginning_and_its_end() -> None:
    printed = "\n".join([f"line {number}" for number in range(1000)] + ["ERROR: no space left on device"])
    found = await driver(503, {"healthy": False, "version": "3", "detail": printed}).health("i1")
    assert found.detail.startswith("line 0\nline 1\n")
    assert found.detail.endswith("\nline 999\nERROR: no space left on device")
    assert "\n…\n" in found.detail
    assert 1_900 < len(found.detail) <= 2_000


@pytest.mark.parametrize("text", ["\n" * 10_000_000, "\x1b[" * 5_000_000, "all is well"])
async def test_detail_of_megabytes_is_read_in_no_time(text: str) -> None:
    """Other upgrades go on in the same process meanwhile."""
    body, began = {"healthy": False, "version": "3", "detail": f"first\n{text}\nERROR: last"}, time.process_time()
    found = door.health_of(body, "i1")
    assert time.process_time() - began < 0.2
    assert (found.detail[:5], found.detail[-11:]) == ("first", "ERROR: last")


async def test_line_separators_and_marks_that_turn_the_direction_are_taken_out_and_other_scripts_stay() -> None:
    printed = "\u202eextra\u2028order undrain\u2066!\nשגיאה: אין מקום\u200f"
    found = await driver(503, {"healthy": False, "version": "3\u202e", "detail": printed}).health("i1")
    assert (found.version, found.detail) == ("3", "extra order undrain !\nשגיאה: אין מקום\u200f")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"detail": "i1 is UPGRADING\nsince 12:00", "title": "Conflict"}, ": i1 is UPGRADING\nsince 12:00"),
        ({"title": "Conflict", "status": 409}, ": Conflict"),
        ({"message": "wrong\x00state"}, ": wrong state"),
        ({"error": "x" * 9000}, f": {'x' * 500}"),
        ({"error": {"code": 7}}, ""),
        ({"detail": " "}, ""),
        (b"<html>no</html>", ""),
        (b"[" * 100_000, ""),
        (b"", ""),
    ],
)
async def test_refusal_says_why_if_the_agent_does_so_in_json(body: Any, said: str) -> None:
    for status, call in ((409, "POST /fleets/f/instances/i1/drain"), (503, "POST /fleets/f/instances/i1/drain")):
        with pytest.raises(FleetError) as refused:
            await driver(status, body).drain("i1", 7, "k")
        assert str(refused.value) == f"the agent answered {status} to {call}{said}"
    with pytest.raises(StaleToken) as stale:
        await driver(412, body).drain("i1", 7, "k")
    assert str(stale.value) == f"the agent has seen a higher fencing token than 7{said}"


async def test_refusal_of_the_token_repeats_nothing_that_the_agent_says() -> None:
    with pytest.raises(RefusedToken) as refused:
        await driver(401, {"detail": "the token secret is wrong"}).drain("i1", 7, "k")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("status", "said"), [(202, "202"), (200, "200")])
async def test_accepted_order_returns_the_status_of_the_answer(status: int, said: str) -> None:
    assert await driver(status, b"").drain("i1", 7, "k") == said


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (200, {"healthy": True, "version": "2"}, Health(True, "2")),
        (200, {"healthy": False, "version": None, "detail": None}, Health(False, None)),
        (503, {"healthy": False}, Health(False, None)),
    ],
)
async def test_health_of_the_protocol_is_read(status: int, body: dict[str, Any], found: Health) -> None:
    assert await driver(status, body).health("i1") == found


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (200, {"healthy": "true"}, NotOfProtocol, 'the health of i1 does not follow the protocol: healthy: "true"'),
        (200, {}, NotOfProtocol, "healthy is missing"),
        (200, {"healthy": True, "version": 2}, NotOfProtocol, "version: 2 is not a text"),
        (200, {"healthy": True, "detail": {}}, NotOfProtocol, "detail: an object is not a text"),
        (503, {"healthy": True, "version": "2"}, NotOfProtocol, "healthy: true in a 503"),
        (503, {"healthy": "no"}, NotOfProtocol, 'healthy: "no" is not true or false'),
        (503, {}, Busy, "the agent answered 503 to GET /fleets/f/instances/i1/health"),
        (503, b"<html>", Busy, "the agent answered 503"),
        (200, b"<html>", NotOfProtocol, "not a JSON object"),
        (404, {}, UnknownFleet, "answered 404"),
    ],
)
async def test_health_that_is_not_of_the_protocol_is_no_health(
    status: int, body: Any, kind: type[FleetError], said: str
) -> None:
    with pytest.raises(kind) as refused:
        await driver(status, body).health("i1")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("status", "kind", "code", "in_doubt"),
    [
        (401, RefusedToken, "FLEET_REFUSED_TOKEN", False),
        (403, RefusedToken, "FLEET_REFUSED_TOKEN", False),
        (404, UnknownFleet, "FLEET_UNKNOWN", False),
        (409, Conflict, "FLEET_CONFLICT", False),
        (429, Busy, "FLEET_BUSY", False),
        (503, Busy, "FLEET_BUSY", False),
        (400, FleetError, "FLEET_ERROR", False),
        (500, FleetError, "FLEET_ERROR", True),
        (502, FleetError, "FLEET_ERROR", True),
        (302, NotOfProtocol, "FLEET_PROTOCOL", False),
    ],
)
async def test_refusal_of_an_order_has_its_kind_and_only_a_proxys_leaves_it_in_doubt(
    status: int, kind: type[FleetError], code: str, in_doubt: bool
) -> None:
    with pytest.raises(FleetError) as refused:
        await driver(status, b"", {"Location": "http://elsewhere/\x00"}).drain("i1", 7, "k")
    assert (type(refused.value), refused.value.code, refused.value.in_doubt) == (kind, code, in_doubt)
    with pytest.raises(kind) as look:
        await driver(status, b"").fleet()
    assert look.value.in_doubt is False


async def test_redirect_is_refused_by_name() -> None:
    with pytest.raises(NotOfProtocol, match=r"redirects GET /fleets/f to http://elsewhere/x \(307\)"):
        await driver(307, b"", {"Location": "http://elsewhere/x"}).fleet()


async def test_order_accepted_with_an_answer_that_is_no_json_is_in_doubt() -> None:
    with pytest.raises(NotOfProtocol) as refused:
        await driver(202, b"<html>").drain("i1", 7, "k")
    assert refused.value.in_doubt is True


@pytest.mark.parametrize(
    ("body", "headers", "theirs"),
    [
        ({"highestToken": 9}, {}, 9),
        ({}, {"X-Fencing-Token": "12"}, 12),
        ({"highestToken": "9"}, {}, 9),
        ({"highestToken": True}, {}, None),
        ({"highestToken": 10**30}, {"X-Fencing-Token": "a"}, None),
        (b"<html>", {}, None),
    ],
)
async def test_stale_token_has_both_numbers_if_the_agent_names_its_own(
    body: Any, headers: dict[str, str], theirs: int | None
) -> None:
    with pytest.raises(StaleToken) as refused:
        await driver(412, body, headers).drain("i1", 7, "k")
    assert (refused.value.ours, refused.value.theirs, refused.value.in_doubt) == (7, theirs, False)
    assert ("9" in str(refused.value)) == (theirs == 9)


@pytest.mark.parametrize("name", [".", "..", "", "a\ud800"])
async def test_name_that_no_path_can_hold_is_refused(name: str) -> None:
    with pytest.raises(FleetError, match="a call cannot name"):
        await driver(202, b"").drain(name, 1, "k")
    with pytest.raises(FleetError, match="a call cannot name"):
        AgentDriver(Agent(200, b""), name)


TEXTS = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(
    ["\x00", "\ud800", "i1", "RUNNING"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
FIELDS = st.sampled_from([*ONE, *FINE, "freeInstances", "detail"]) | TEXTS
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6), max_leaves=20
)
INSTANCES = st.fixed_dictionaries({name: st.just(value) | ANYTHING for name, value in ONE.items()})
FLEETS = st.fixed_dictionaries(
    {name: st.just(value) | ANYTHING for name, value in FINE.items()} | {"instances": st.lists(INSTANCES, max_size=3)}
)


@settings(max_examples=200, deadline=None)
@given(body=FLEETS | ANYTHING, status=st.sampled_from([200, 503, 412, 404, 302, 500]))
async def test_any_answer_is_a_fleet_of_the_protocol_or_a_fleet_error(body: Any, status: int) -> None:
    said = driver(status, json.dumps(body).encode())
    try:
        fleet, health = await said.fleet(), None
        _assert_storable(*(text for each in fleet.instances for text in (each.instance_id, each.version, each.pool)))
    except FleetError as error:
        _assert_storable(str(error))
    try:
        health = await said.health("i1")
        _assert_storable(health.version, health.detail)
    except FleetError as error:
        _assert_storable(str(error))


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=60))
async def test_any_bytes_are_an_object_or_not_of_the_protocol(content: bytes) -> None:
    try:
        door.object_in(content)
    except NotOfProtocol as error:
        _assert_storable(str(error))


def _assert_storable(*texts: str | None) -> None:
    """PostgreSQL can hold it."""
    for text in texts:
        assert "\x00" not in (text or "")
        (text or "").encode()
