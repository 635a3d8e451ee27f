"""Kafka's jars: fetched once by Maven, checked by their checksums, kept below `.local/jars`."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from local.errors import LocalError

POM = Path(__file__).with_name("pom.xml")
_OLDEST_JAVA = 17
_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"
_FETCH_SECONDS = 600


def jars(root: Path) -> Path:
    """The folder with the jars, which are fetched if it is missing.

    :raises LocalError: there is no Java or Maven, or Maven fails.
    """
    java()
    folder = root / ".local" / "jars" / hashlib.sha256(POM.read_bytes()).hexdigest()[:16]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            _fetch(Path(draft) / "jars")
            _put(Path(draft) / "jars", folder)
    return folder


def java() -> str:
    """The `java` to use: from JAVA_HOME, else from PATH.

    :raises LocalError: there is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    found = _version(program) if program else None
    if program is None or found is None:
        raise LocalError(f"a real Kafka needs Java {_OLDEST_JAVA} or newer: install a JDK and Maven")
    if found < _OLDEST_JAVA:
        raise LocalError(f"a real Kafka needs Java {_OLDEST_JAVA} or newer, {program} is {found}")
    return program


def _version(program: str) -> int | None:
    """The major version; None if it does not run (macOS has a `java` that only prints that there is none)."""
    try:
        done = subprocess.run([program, "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    number = re.search(r'version "(\d+)', done.stderr)
    return int(number.group(1)) if number else None


def _fetch(folder: Path) -> None:
    program = shutil.which("mvn")
    if program is None:
        raise LocalError("a real Kafka needs Maven to fetch its jars: install maven")
    options = [
        "-q",
        "-B",
        "--strict-checksums",
        "-f",
        str(POM),
        f"-DoutputDirectory={folder}",
        "-DincludeScope=runtime",
    ]
    try:
        done = subprocess.run(
            [program, *options, _GOAL], capture_output=True, text=True, check=False, timeout=_FETCH_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise LocalError(f"Maven did not fetch Kafka's jars within {_FETCH_SECONDS} s") from None
    if done.returncode != 0:
        raise LocalError(f"Maven cannot fetch Kafka's jars:\n{(done.stdout + done.stderr).strip()[-2000:]}")


def _put(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        if not folder.exists():  # otherwise another process was faster
            raise
