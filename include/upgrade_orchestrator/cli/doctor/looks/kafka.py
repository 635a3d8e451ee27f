"""Where events are published, if they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from upgrade_orchestrator.cli.doctor.finding import Finding, warning, well
from upgrade_orchestrator.settings import Settings

ANSWER_SECONDS = 20.0
_SUBJECT = "events"


def look_at_kafka() -> Iterator[Finding]:
    """Upgrades run without it; what cannot be published is kept for later."""
    from upgrade_orchestrator.service.ports.outbox import KafkaNotConfigured, KafkaUnavailable

    settings = Settings.read()
    conn_id, topic = settings.kafka_conn_id, settings.kafka_topic
    todo = f"correct the Airflow connection {conn_id}; until then events are kept"
    try:
        asyncio.run(_open(conn_id, topic))
    except KafkaNotConfigured:
        yield well(_SUBJECT, f"none are published: there is no Airflow connection {conn_id}")
    except KafkaUnavailable as failed:
        yield warning(_SUBJECT, str(failed), todo)
    except TimeoutError:
        yield warning(_SUBJECT, f"Kafka does not answer within {ANSWER_SECONDS:g} s", todo)
    else:
        yield well(_SUBJECT, f"the topic {topic} can be written to by {conn_id}")


async def _open(conn_id: str, topic: str) -> None:
    from upgrade_orchestrator.adapters.kafka.connection import open_stream

    async with asyncio.timeout(ANSWER_SECONDS):
        stream = await open_stream(conn_id, topic)
    await stream.close()
