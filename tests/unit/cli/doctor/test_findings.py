"""What the doctor prints, its exit code, and that every look has an end."""

from collections.abc import Iterator
from threading import Event

import pytest

from upgrade_orchestrator.cli.doctor.__main__ import report
from upgrade_orchestrator.cli.doctor.finding import Finding, error, warning, well
from upgrade_orchestrator.cli.doctor.timed import timed


def test_report_of_findings_without_an_error_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([well("pool", "8 slots"), warning("clock", "off by 3 s", "synchronize")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok       pool: 8 slots",
        "warning  clock: off by 3 s: synchronize",
        "0 errors, 1 warning, 1 ok",
    ]


def test_report_with_an_error_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([error("pool", "no slots", "make some"), error("clock", "none")]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 errors, 0 warnings, 0 ok"


def test_finding_is_one_line_whatever_it_quotes() -> None:
    assert str(error("fleet a\nb", "says\x1b[31m no\r\n")) == "error    fleet a b: says [31m no  "


def test_look_that_hangs_is_an_error_after_its_time() -> None:
    released = Event()

    def hang() -> Iterator[Finding]:
        released.wait()
        yield well("disk", "spins")

    (found,) = timed("disk", hang, seconds=0.05)
    assert str(found).startswith("error    disk: no answer within 0.05 s")
    released.set()
    assert timed("disk", hang) == [well("disk", "spins")]


def test_look_that_fails_is_an_error_in_one_line() -> None:
    def fail() -> Iterator[Finding]:
        yield well("disk", "was there")
        raise LookupError("no disk\nand a second line")

    assert timed("disk", fail) == [error("disk", "cannot be looked at (LookupError: no disk)")]
