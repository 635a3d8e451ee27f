"""The script of the process that looks at one backup; standard library only, so that it starts within 20 ms.

It reads a job as a line of JSON from its input, and writes lines of JSON: ``{"read": n}`` while it works, and at the
end ``{"size": n, "sha256": "…" or null}`` or ``{"error": "…"}``. It ends with its input: then its parent is gone.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import time
from threading import Thread
from typing import IO, Any

CHUNK = 1 << 20
REPORT_SECONDS = 10.0
"How often it says how much it has read."
PROVIDERS = {
    "s3": "apache-airflow-providers-amazon[s3fs]",
    "gs": "apache-airflow-providers-google",
    "abfs": "apache-airflow-providers-microsoft-azure",
    "abfss": "apache-airflow-providers-microsoft-azure",
}
"The provider that must be installed for each scheme."


def main() -> None:
    """Do the job, and write its result."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries may print
    job = json.loads(sys.stdin.readline())
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = _look_at_file(job, answers) if "path" in job else _look_at_object(job, answers)
    except OSError as error:
        answer = {"error": str(error)}
    except Exception as error:  # each storage raises its own errors, for example for missing credentials
        answer = {"error": f"{type(error).__name__}: {error}"}
    _say(answers, answer)
    os._exit(0)  # without the clean-up of libraries


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def _say(answers: IO[str], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _look_at_file(job: dict[str, Any], answers: IO[str]) -> dict[str, Any]:
    path = job["path"]
    _require_file(os.stat(path))  # before it is opened: opening a device may change it
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as stream:
        status = os.fstat(stream.fileno())
        _require_file(status)
        _require_within(path, status, job["folders"])
        return _digest(stream, answers) if job["whole"] else {"size": status.st_size, "sha256": None}


def _require_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")


def _require_within(path: str, opened: os.stat_result, folders: list[str]) -> None:
    """Where the path leads once all links are followed, and that this is what was opened."""
    real = os.path.realpath(path)
    there = os.stat(real)
    roots = [os.path.realpath(each).rstrip("/") + "/" for each in folders]
    if (there.st_dev, there.st_ino) != (opened.st_dev, opened.st_ino) or not real.startswith(tuple(roots)):
        raise OSError("it is a link that leads out of the folders of [upgrades] backup_roots")


def _look_at_object(job: dict[str, Any], answers: IO[str]) -> dict[str, Any]:
    os.environ.update(job["environment"])  # not in the process's own environment, where others could read it
    sys.path[:] = job["modules"]
    from airflow.sdk import ObjectStoragePath
    from airflow.sdk.io import has_fs

    scheme = job["location"].partition("://")[0]
    if scheme in PROVIDERS and not has_fs(scheme):
        raise OSError(f"no {scheme}:// here: install Airflow's provider {PROVIDERS[scheme]} in every component")
    path = ObjectStoragePath(job["location"])
    if not job["whole"]:
        return {"size": int(path.stat().st_size), "sha256": None}
    with path.open("rb") as stream:
        return _digest(stream, answers)


def _digest(stream: Any, answers: IO[str]) -> dict[str, Any]:
    digest, size, said = hashlib.sha256(), 0, time.monotonic()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if time.monotonic() - said >= REPORT_SECONDS:
            _say(answers, {"read": size})
            said = time.monotonic()
    return {"size": size, "sha256": digest.hexdigest()}


if __name__ == "__main__":
    main()
