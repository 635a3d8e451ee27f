"""`make up KAFKA=real|mock`: which Kafka is started, and when the one that runs has to go."""

from pathlib import Path

import pytest

from local.errors import LocalError
from local.kafka import choice as kafka_choice
from local.kafka.choice import MOCK, REAL, KafkaChoice
from local.layout import Layout


@pytest.fixture(autouse=True)
def no_fetching(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    asked: list[Path] = []
    monkeypatch.setattr(kafka_choice, "jars", asked.append)
    return asked


def choice(folder: Path, kafka: str = "") -> KafkaChoice:
    return KafkaChoice(Layout(folder, folder), {"KAFKA": kafka})


def test_mock_kafka_is_the_default_and_needs_no_installation(tmp_path: Path, no_fetching: list[Path]) -> None:
    chosen = choice(tmp_path)
    assert not chosen.choose(running=False)
    assert "local.kafka.mock" in chosen.argv(1)
    assert no_fetching == []


def test_real_kafka_is_started_with_its_topic_and_folder(tmp_path: Path, no_fetching: list[Path]) -> None:
    chosen = choice(tmp_path, REAL)
    assert not chosen.choose(running=False)
    argv = chosen.argv(4711)
    assert "local.kafka.broker" in argv
    assert argv[-6:] == ["--port", "4711", "--folder", str(tmp_path / "kafka"), "--topic", argv[-1]]
    assert argv[-1] == "registry.upgrade-orchestration-events"
    assert no_fetching == [tmp_path]


def test_running_kafka_is_kept_unless_another_is_named(tmp_path: Path) -> None:
    choice(tmp_path, REAL).choose(running=False)
    assert not choice(tmp_path).choose(running=True)
    assert "local.kafka.broker" in choice(tmp_path).argv(1)
    assert not choice(tmp_path, REAL).choose(running=True)
    assert choice(tmp_path, MOCK).choose(running=True)
    assert "local.kafka.mock" in choice(tmp_path).argv(1)


def test_kafka_choice_is_forgotten_when_the_stack_is_down(tmp_path: Path) -> None:
    choice(tmp_path, REAL).choose(running=False)
    choice(tmp_path).choose(running=False)
    assert "local.kafka.mock" in choice(tmp_path).argv(1)


def test_unknown_kafka_choice_is_refused_with_an_explanation(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="mock or real"):
        choice(tmp_path, "rael").choose(running=False)
