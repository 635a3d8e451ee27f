import socket
from pathlib import Path

import pytest

from local import ports
from local.ports import HOST, free_port

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


@pytest.mark.skipif(not EPHEMERAL.exists(), reason="only Linux says which ports it gives away")
def test_free_port_is_outside_the_ephemeral_range_of_the_system() -> None:
    first, last = map(int, EPHEMERAL.read_text().split())
    picked = [free_port() for _ in range(50)]
    assert [each for each in picked if first <= each <= last or each < 1024] == []


def test_free_port_skips_a_port_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    free = free_port()
    with socket.create_server((HOST, 0)) as taken:
        monkeypatch.setattr(ports, "_NEVER_GIVEN", [taken.getsockname()[1]] * 9 + [free])
        assert free_port() == free
