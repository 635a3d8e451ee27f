import pytest

from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest
from upgrade_orchestrator.schemas.registry import BackupBody
from upgrade_orchestrator.schemas.upgrades import UpgradeBody
from upgrade_orchestrator.web.http.bodies import parse
from upgrade_orchestrator.web.http.problems import Malformed

LEAST = b'{"componentId": "a", "fromVersionId": "b", "toVersionId": "c"%s}'
BACKUP = b'{"versionId": "a", "location": "file:///x", "sizeBytes": 1, "sha256": "%s", "createdAt": %s}'

RANGES = {
    "canaryPercentage": (1, 100),
    "batchSize": (1, 1000),
    "batchDelaySeconds": (0, 86400),
    "healthCheckIntervalSeconds": (1, 3600),
    "healthCheckTimeoutSeconds": (1, 86400),
    "maxUnavailablePercentage": (1, 100),
    "totalInstances": (1, 10000),
    "failureThreshold": (1, 10000),
    "soakSeconds": (0, 86400),
}


def upgrade(more: bytes) -> UpgradeBody:
    return parse(UpgradeBody, LEAST % more)


def refused_fields(more: bytes) -> list[str]:
    with pytest.raises(ValidationFailed) as refusal:
        upgrade(more)
    errors: list[dict[str, str]] = refusal.value.extra["errors"]  # type: ignore[assignment]
    return [each["field"] for each in errors]


def test_body_without_options_gets_the_specified_defaults() -> None:
    assert upgrade(b"").to_domain() == UpgradeRequest(component_id="a", from_version_id="b", to_version_id="c")


@pytest.mark.parametrize(("field", "bounds"), RANGES.items())
def test_number_is_accepted_at_both_ends_of_its_range(field: str, bounds: tuple[int, int]) -> None:
    for value in bounds:
        body = upgrade(b', "%s": %d' % (field.encode(), value))
        assert body.model_dump(by_alias=True)[field] == value


@pytest.mark.parametrize(("field", "bounds"), RANGES.items())
def test_number_is_refused_just_outside_its_range(field: str, bounds: tuple[int, int]) -> None:
    for value in (bounds[0] - 1, bounds[1] + 1, 10**30):
        assert refused_fields(b', "%s": %d' % (field.encode(), value)) == [field]


@pytest.mark.parametrize("field", RANGES)
@pytest.mark.parametrize(
    "value", [b'"5"', b"true", b"5.5", b"1e-1", b"1e400", b"null", b"NaN", b"Infinity", b"-Infinity", b"[5]"]
)
def test_number_is_not_converted_from_another_type(field: str, value: bytes) -> None:
    assert refused_fields(b', "%s": %s' % (field.encode(), value)) == [field]


@pytest.mark.parametrize("field", RANGES)
@pytest.mark.parametrize("value", [b"5", b"5.0", b"0.5e1"])
def test_number_is_an_integer_in_every_json_notation(field: str, value: bytes) -> None:
    found = upgrade(b', "%s": %s' % (field.encode(), value)).model_dump(by_alias=True)[field]
    assert (found, type(found)) == (5, int)


@pytest.mark.parametrize("value", [b'"true"', b"1", b"0", b"null"])
def test_boolean_is_not_converted_from_another_type(value: bytes) -> None:
    assert refused_fields(b', "autoRollbackEnabled": %s' % value) == ["autoRollbackEnabled"]


def test_all_offending_fields_are_named_at_once() -> None:
    more = b', "batchSize": 0, "batch_size": 1, "strategy": "X", "batchSize": 0'
    assert refused_fields(more) == ["strategy", "batchSize", "batch_size", "batchSize"]


def test_stage_percentages_are_accepted_for_the_staged_strategy() -> None:
    body = upgrade(b', "strategy": "STAGED", "stagePercentages": [10, 50, 100]').to_domain()
    assert (body.strategy, body.stage_percentages) == (Strategy.STAGED, (10, 50, 100))


@pytest.mark.parametrize(
    "stages", [b"[]", b"[50]", b"[50, 50, 100]", b"[0, 100]", b"[50, 101]", b'["100"]', b"[99.5, 100]"]
)
def test_stage_percentages_that_do_not_rise_to_100_are_refused(stages: bytes) -> None:
    assert refused_fields(b', "strategy": "STAGED", "stagePercentages": %s' % stages)[0].startswith("stagePercentages")


@pytest.mark.parametrize("count", [200, 201])
def test_installed_components_are_at_most_200(count: int) -> None:
    entries = b", ".join(b'"c%d": "1"' % number for number in range(count))
    more = b', "installedComponents": {%s}' % entries
    if count > 200:
        assert refused_fields(more) == ["installedComponents"]
    else:
        assert len(upgrade(more).installed_components or {}) == count


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[" * 100_000, b"1" * 5000, b'{"a": 01}'])
def test_content_that_is_not_json_is_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        parse(UpgradeBody, content)


@pytest.mark.parametrize("moment", [b'"2026-01-31T12:00:00Z"', b'"2026-01-31t14:00:00.000000000+02:00"'])
def test_time_is_read_as_utc(moment: bytes) -> None:
    body = parse(BackupBody, BACKUP % (b"0" * 64, moment))
    assert body.created_at.isoformat() == "2026-01-31T12:00:00+00:00"


@pytest.mark.parametrize(
    "moment",
    [b"1700000000", b'"1700000000"', b'"2026-01-31T12:00:00"', b'"2026-02-31T12:00:00Z"', b'"2026-01-31"', b"null"]
    + [b'"0001-01-01T00:00:00+02:00"', b'"9999-12-31T23:59:59-02:00"'],
)
def test_time_is_refused_when_it_is_not_rfc_3339(moment: bytes) -> None:
    with pytest.raises(ValidationFailed):
        parse(BackupBody, BACKUP % (b"0" * 64, moment))
