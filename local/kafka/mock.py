"""A Kafka for the local stack: librdkafka's mock cluster in a process, at a fixed address.

`python -m local.kafka.mock --port P` serves until SIGTERM. The cluster picks another port at every start, so a
forwarder keeps the bootstrap address: clients that knew the old broker ask there and learn the new one. Its records
live in memory; set KAFKA_BOOTSTRAP_SERVERS to use a real cluster instead.
"""

import argparse
import asyncio
import contextlib
import signal
from asyncio import StreamReader, StreamWriter

from confluent_kafka import Producer

from local.ports import HOST

_CHUNK = 65536


def start_cluster() -> tuple[Producer, str, int]:
    """Start a one-broker cluster; returns the object that keeps it alive, its host and port."""
    keeper = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "ignored:1", "log_level": 0})
    broker = next(iter(keeper.list_topics(timeout=10).brokers.values()))
    return keeper, broker.host, broker.port


async def serve(port: int) -> None:
    """Run the cluster and its forwarder until SIGTERM or SIGINT."""
    keeper, host, broker_port = start_cluster()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)

    async def forward(reader: StreamReader, writer: StreamWriter) -> None:
        await _forward(reader, writer, host, broker_port)

    server = await asyncio.start_server(forward, HOST, port)
    print(f"kafka at {HOST}:{port}", flush=True)
    await ended.wait()
    server.close()
    del keeper


async def _forward(reader: StreamReader, writer: StreamWriter, host: str, port: int) -> None:
    broker_reader, broker_writer = await asyncio.open_connection(host, port)
    await asyncio.gather(_pump(reader, broker_writer), _pump(broker_reader, writer))


async def _pump(source: StreamReader, target: StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
    target.close()


def main() -> None:
    """Read the port from the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m local.kafka.mock", description="a Kafka in memory, for the local stack"
    )
    parser.add_argument("--port", type=int, required=True, help="the bootstrap port on 127.0.0.1")
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
