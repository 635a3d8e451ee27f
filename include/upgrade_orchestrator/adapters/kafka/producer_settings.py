"""What the relay's producer is told: the connection's words, over our defaults and under what the relay relies on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFAULTS: dict[str, Any] = {
    "client.id": "upgrades-relay",
    "linger.ms": 2,
    # where the same key goes with the Java clients
    "partitioner": "murmur2_random",
    "reconnect.backoff.max.ms": 2000,
    "socket.keepalive.enable": True,
    # librdkafka writes to standard error at every attempt; what matters of it is in our own log
    "log_level": 0,
}
NEEDED: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    # a message that fails stops the ones behind it, so that none gets ahead of it
    "enable.gapless.guarantee": True,
    # for the same reason none is given up alone: the stream as a whole is, by the relay
    "message.timeout.ms": 0,
}
_OTHER_NAMES = frozenset({"request.required.acks", "delivery.timeout.ms"})
"Of what is needed: two for one thing would contradict each other."


def with_needs(config: Mapping[str, Any]) -> dict[str, Any]:
    """The connection's configuration over our defaults, and what is needed over both."""
    said = {name: value for name, value in config.items() if name not in _OTHER_NAMES}
    return DEFAULTS | said | NEEDED
