"""Which Kafka the stack runs: librdkafka's mock cluster, or a real broker (`make up KAFKA=real`)."""

import sys
from collections.abc import Mapping

from local.errors import LocalError
from local.files import read_or_none, write_whole
from local.kafka.jars import jars
from local.layout import Layout
from upgrade_orchestrator.settings import Settings, variable_of

MOCK, REAL = "mock", "real"


class KafkaChoice:
    """Chosen at `up`, and remembered as long as that Kafka runs."""

    def __init__(self, layout: Layout, variables: Mapping[str, str]) -> None:
        self._layout, self._variables = layout, variables
        self._file = layout.state / "kafka-kind"

    def choose(self, running: bool) -> bool:
        """Decide: by KAFKA, else the one that runs, else the mock. True when another one runs and has to be stopped.

        :raises LocalError: KAFKA is neither of the two, or the real one's jars cannot be had.
        """
        known = self._known()
        chosen = self._variables.get("KAFKA") or (known if running else MOCK)
        if chosen not in (MOCK, REAL):
            raise LocalError(f"KAFKA is {chosen!r}: {MOCK} or {REAL} is needed")
        if chosen == REAL:
            jars(self._layout.root)
        write_whole(self._file, chosen)
        return running and chosen != known

    def argv(self, port: int) -> list[str]:
        """The command line."""
        if self._known() == MOCK:
            return [sys.executable, "-m", "local.kafka.mock", "--port", str(port)]
        argv = [sys.executable, "-m", "local.kafka.broker", "--port", str(port)]
        topic = self._variables.get(variable_of("kafka_topic")) or Settings().kafka_topic
        return [*argv, "--folder", str(self._layout.state / "kafka"), "--topic", topic]

    def _known(self) -> str:
        return read_or_none(self._file) or MOCK
