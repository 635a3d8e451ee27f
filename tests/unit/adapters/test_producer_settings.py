"""Which producer settings the connection may change, and which it may not."""

import pytest

from upgrade_orchestrator.adapters.kafka.producer_settings import DEFAULTS, NEEDED, with_needs


def test_connection_adds_tls_and_sasl() -> None:
    said = {"bootstrap.servers": "kafka:9093", "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512"}
    assert said.items() <= with_needs(said).items()


def test_connection_may_change_a_default() -> None:
    assert with_needs({"linger.ms": 20})["linger.ms"] == 20
    assert with_needs({})["linger.ms"] == DEFAULTS["linger.ms"]


@pytest.mark.parametrize(
    "said",
    [
        {"acks": 1},
        {"request.required.acks": 1},
        {"enable.idempotence": False},
        {"delivery.timeout.ms": 1000},
        {"message.timeout.ms": 1000},
    ],
)
def test_connection_cannot_change_the_settings_that_guarantee_order_and_delivery(said: dict[str, object]) -> None:
    found = with_needs(said)
    assert NEEDED.items() <= found.items()
    assert not {"request.required.acks", "delivery.timeout.ms"} & found.keys()
