"""The relay's producer settings: required ones, then those of the connection, then our defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFAULTS: dict[str, Any] = {
    "client.id": "upgrades-relay",
    "linger.ms": 2,
    # the same partition for a key as with the Java clients
    "partitioner": "murmur2_random",
    "reconnect.backoff.max.ms": 2000,
    "socket.keepalive.enable": True,
    # librdkafka would write to standard error at every attempt; our own log has what matters
    "log_level": 0,
}
NEEDED: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    # a message that fails stops those that follow it, which keeps the order
    "enable.gapless.guarantee": True,
    # for the same reason no single message expires: the relay gives up the stream as a whole
    "message.timeout.ms": 0,
}
_OTHER_NAMES = frozenset({"request.required.acks", "delivery.timeout.ms"})
"Aliases of required settings, left out because they could contradict them."


def with_needs(config: Mapping[str, Any]) -> dict[str, Any]:
    """The connection's configuration over our defaults, with the required settings over both."""
    configured = {name: value for name, value in config.items() if name not in _OTHER_NAMES}
    return DEFAULTS | configured | NEEDED
