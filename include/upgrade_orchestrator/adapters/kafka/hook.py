"""Airflow's producer hook with the settings that the relay relies on; the connection decides the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.providers.apache.kafka.hooks.produce import KafkaProducerHook
from confluent_kafka import KafkaError, Producer

from upgrade_orchestrator.adapters.kafka.producer_settings import with_needs


class RelayHook(KafkaProducerHook):
    """Makes the relay's producer from the extra of an Airflow connection of type ``kafka``."""

    def __init__(self, conn_id: str, on_error: Callable[[KafkaError], None]) -> None:
        super().__init__(conn_id)
        self._on_error = on_error

    def _get_client(self, config: dict[str, Any]) -> Producer:
        return Producer(with_needs(config) | {"error_cb": self._on_error})
