"""A Kafka behind TLS and SASL: the connection's extra is enough for it, and a wrong password is reported as such."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import HOST, free_port
from tests.integration.kafka import certificates
from tests.integration.kafka.broker import RealKafka
from tests.integration.kafka.conftest import Append, eventually, read, relaying, require_jars
from tests.integration.kafka.reader import Reader
from tests.integration.store.conftest import Added
from upgrade_orchestrator.service.ports.outbox import RelayState
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.health import relay_health

USER, PASSWORD, TOPIC = "upgrades", "only-for-this-test", "secured"


class SecuredKafka(RealKafka):
    """A Kafka with a second listener that requires TLS and a password."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._door = f"{HOST}:{free_port()}"
        self._ca, pem = certificates.make(folder)
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        self.settings = {
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{HOST}:{free_port()},SECURED://{self._door}",
            "advertised.listeners": f"PLAINTEXT://{self.address},SECURED://{self._door}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL",
            "listener.name.secured.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.secured.plain.sasl.jaas.config": f'{login} user_{USER}="{PASSWORD}";',
            "listener.name.secured.ssl.keystore.type": "PEM",
            "listener.name.secured.ssl.keystore.location": str(pem),
        }
        controller = self.settings["listeners"].split("CONTROLLER://")[1].split(",")[0]
        self.settings["controller.quorum.voters"] = f"1@{controller}"

    def secured(self, password: str = PASSWORD, authority: bool = True) -> str:
        """The Airflow connection to that listener."""
        extra = {"bootstrap.servers": self._door, "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}
        extra |= {"sasl.username": USER, "sasl.password": password}
        return self.connection(**(extra | ({"ssl.ca.location": str(self._ca)} if authority else {})))


@pytest.fixture(scope="module")
def secured_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    require_jars()
    broker = SecuredKafka(tmp_path_factory.mktemp("secured"))
    broker.start()
    broker.make_topic(TOPIC)
    yield broker
    broker.kill()


async def test_events_are_published_over_tls_and_sasl(
    secured_kafka: SecuredKafka,
    added: Added,
    append: Append,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_EVENTS", secured_kafka.secured())
    monkeypatch.setenv("AIRFLOW__UPGRADES__KAFKA_TOPIC", TOPIC)
    execution = await added()
    await append(execution, *"abc")
    reader = Reader(secured_kafka.address, TOPIC)
    async with relaying(postgres_url):
        await read(reader, lambda: len(reader.records) == 3)
    reader.close()
    assert reader.sequences() == {execution.id: [1, 2, 3]}


@pytest.mark.parametrize(
    ("said", "reason"), [({"password": "wrong"}, "_AUTHENTICATION"), ({"authority": False}, "_SSL")]
)
async def test_wrong_password_and_unknown_certificate_are_reported(
    secured_kafka: SecuredKafka,
    ports: Ports,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    said: dict[str, str],
    reason: str,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KAFKA_EVENTS", secured_kafka.secured(**said))  # type: ignore[arg-type]
    monkeypatch.setenv("AIRFLOW__UPGRADES__KAFKA_TOPIC", TOPIC)

    async def is_reported() -> bool:
        health = await relay_health(ports)
        return health.state is RelayState.WAITING and reason in health.detail

    async with relaying(postgres_url):
        await eventually(is_reported)
    assert PASSWORD not in (await relay_health(ports)).detail
