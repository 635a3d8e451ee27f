"""`python -m local.kafka.broker --port P --folder F --topic T`: a broker on 127.0.0.1:P until SIGTERM.

The records are in F and survive. The topic is created if it is missing; other topics are not created automatically.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from local.errors import LocalError
from local.kafka.jars import jars, java
from local.ports import HOST, free_port

ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = 4
_READY_SECONDS = 90
_ID = "bG9jYWwta2Fma2EtMDAwMA"
"The cluster's id: any 16 bytes in base64."


def main() -> int:
    """Serve; 1 and one line when it cannot."""
    parser = argparse.ArgumentParser(prog="python -m local.kafka.broker", description="a real Kafka broker")
    parser.add_argument("--port", type=int, required=True, help="the port on 127.0.0.1")
    parser.add_argument("--folder", type=Path, required=True, help="where the records are kept")
    parser.add_argument("--topic", action="append", default=[], help="made when it is not there")
    parser.add_argument("--settings", type=Path, help="a file of the broker's own settings, over ours")
    given = parser.parse_args()
    more = given.settings.read_text() if given.settings else ""
    try:
        return serve(given.port, given.folder.resolve(), given.topic, more)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1


def serve(port: int, folder: Path, topics: list[str], more: str = "") -> int:
    """Start the broker, make the topics, stay until it ends or SIGTERM comes."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "server.properties"
    settings.write_text(_settings(port, folder) + more)
    run = [java(), "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars(ROOT)}/*"]
    run.append("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
    if not (folder / "data" / "meta.properties").exists():
        subprocess.run([*run, "kafka.tools.StorageTool", "format", "-t", _ID, "-c", str(settings)], check=True)
    broker = subprocess.Popen([*run, "kafka.Kafka", str(settings)])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: broker.terminate())
    _make(topics, port, broker)
    print(f"kafka at {HOST}:{port}", flush=True)
    broker.wait()
    return 0


def _settings(port: int, folder: Path) -> str:
    controller = free_port()  # used by the broker alone, and given to it at every start
    lines = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": folder / "data",
        "num.partitions": PARTITIONS,
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
    }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def _make(topics: list[str], port: int, broker: "subprocess.Popen[bytes]") -> None:
    """Wait until the broker answers, then create what is missing."""
    admin = AdminClient({"bootstrap.servers": f"{HOST}:{port}", "log_level": 0})
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            known = admin.list_topics(timeout=1).topics
            break
        except KafkaException:
            if broker.poll() is not None or time.monotonic() > deadline:
                broker.kill()
                raise LocalError("the broker does not answer: what it wrote says why") from None
    wanted = [NewTopic(name, PARTITIONS, 1) for name in topics if name not in known]
    for made in admin.create_topics(wanted).values() if wanted else ():
        made.result(30)


if __name__ == "__main__":
    os.environ.pop("JAVA_TOOL_OPTIONS", None)
    raise SystemExit(main())
