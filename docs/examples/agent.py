"""A fleet agent in little more than a hundred lines: UPGRADE_AGENT_TOKEN=… python agent.py FLEET FOLDER PORT.

FOLDER has a folder for each instance, named by its id, with five programs: version (prints it), health (exit code 0:
healthy), upgrade VERSION, drain and undrain. They run in that folder, and may leave processes behind, such as the
instance. What a program prints is shown when it fails. Put a TLS proxy in front.
"""

import fcntl
import hmac
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

FLEET, FOLDER, TOKEN = sys.argv[1], Path(sys.argv[2]).resolve(), os.environ["UPGRADE_AGENT_TOKEN"]
SECONDS = {"version": 3, "health": 3, "drain": 300, "undrain": 60, "upgrade": 1800}  # the longest run of each program
GOALS = {"drain": "drain", "undrain": "undrain", "version": "upgrade"}
BEGINS_IN = {"drain": {"RUNNING"}, "undrain": {"DRAINING", "DRAINED"}, "upgrade": {"DRAINED", "STOPPED"}}
THERE_IN = {"drain": {"DRAINING", "DRAINED", "STOPPED"}, "undrain": {"RUNNING"}, "upgrade": set[str]()}
KEEPER = """import subprocess, sys  # has the lock, which the program and what it starts do not
try: sys.exit(subprocess.run(sys.argv[2:], timeout=float(sys.argv[1])).returncode)
except (OSError, subprocess.TimeoutExpired) as error: sys.exit(str(error))"""
LOCK, WORKERS, STATE = threading.Lock(), dict[str, threading.Lock](), FOLDER / "state.json"
LONGEST_BODY = 65536
Answer = tuple[int, dict[str, Any]]
state: dict[str, Any] = json.loads(STATE.read_text()) if STATE.exists() else {"fence": 0, "keys": [], "at": {}}


def save(name: str, fence: int, keys: list[str], **changed: str) -> None:
    """On the disk before anything is done or answered, so that neither a crash nor a full disk forgets an order."""
    new = {"fence": fence, "keys": keys, "at": state["at"] | {name: at(name) | changed}}
    with open(FOLDER / "state.new", "w") as file:
        json.dump(new, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(FOLDER / "state.new", STATE)
    state.update(new)


def at(name: str) -> dict[str, str]:
    """What the instance is doing: its status, the program that is to succeed, and why it has not."""
    return dict(state["at"].get(name, {"status": "RUNNING", "goal": "", "version": "", "detail": ""}))


def run(name: str, program: str, *arguments: str) -> tuple[bool, str]:
    """Whether the program succeeded, and what it printed: into a file, which does not end with us as a pipe would."""
    folder, seconds, keep = FOLDER / name, SECONDS[program], list[int]()
    command = [str(folder / program), *arguments]
    try:
        with open(folder / "order.lock", "w") as lock, tempfile.TemporaryFile() as said:
            if program not in ("version", "health"):  # one order at a time, also when we are killed: the keeper goes on
                fcntl.flock(lock, fcntl.LOCK_EX)
                command, seconds = [sys.executable, "-c", KEEPER, str(seconds), *command], seconds + 5
                keep.append(lock.fileno())
            code = subprocess.run(
                command, cwd=folder, stdout=said, stderr=subprocess.STDOUT, timeout=seconds, pass_fds=keep
            ).returncode
            said.seek(max(0, said.seek(0, os.SEEK_END) - 8000))
            return code == 0, said.read().decode(errors="replace").strip()[-2000:]
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)


def work(name: str) -> None:
    """Pursue the instance's goal until it has none; a newer goal follows the one that was begun."""
    with WORKERS.setdefault(name, threading.Lock()):
        while goal := at(name)["goal"]:
            well, said = run(name, goal, *([at(name)["version"]] if goal == "upgrade" else []))
            if well and goal == "upgrade":
                well, said = run(name, "undrain")
            after = {"drain": "DRAINED", "undrain": "RUNNING", "upgrade": "RUNNING" if well else "STOPPED"}[goal]
            if not well:
                print(f"{name}: {goal} failed: {said}", file=sys.stderr, flush=True)
            if well or goal == "upgrade":
                end(name, goal, after, "" if well else said)
            else:
                time.sleep(1)


def end(name: str, goal: str, status: str, detail: str) -> None:
    """The goal has been pursued, unless there is a newer one; while the disk is full, it waits for room."""
    while True:
        with LOCK, suppress(OSError):
            if at(name)["goal"] == goal:
                save(name, state["fence"], state["keys"], status=status, goal="", detail=detail)
            return
        time.sleep(1)


def begin(name: str) -> None:
    """Pursue it in the background."""
    threading.Thread(target=work, args=[name], daemon=True).start()


def instance(name: str) -> dict[str, Any]:
    """An instance of the protocol, by its programs; ``detail`` says why it is not healthy."""
    now, (well, said), (known, version) = at(name), run(name, "health"), run(name, "version")
    healthy = well and now["status"] not in ("UPGRADING", "STOPPED")
    found = {"id": name, "version": version if known else None, "status": now["status"], "healthy": healthy}
    return found if healthy else found | {"detail": now["detail"] or said or f"it is {now['status']}"}


def order(name: str, goal: str, version: str, key: str, fence: int) -> Answer:
    """202 once the order is on the disk; 409 in a wrong state, 412 from a caller that another one has replaced."""
    with LOCK:
        if fence < state["fence"]:
            return 412, {"detail": "another caller has taken over", "highestToken": state["fence"]}
        status, keys = at(name)["status"], state["keys"]
        if key not in keys and status in BEGINS_IN[goal]:
            status = "UPGRADING" if goal == "upgrade" else "DRAINING"
            save(name, fence, [*keys[-9999:], key], status=status, goal=goal, version=version, detail="")
            begin(name)
            return 202, {"id": name, "status": status}
        save(name, fence, keys)
        if key not in keys and status not in THERE_IN[goal]:
            return 409, {"detail": f"{name} is {status}: {goal} needs {' or '.join(sorted(BEGINS_IN[goal]))}"}
        return 202, {"id": name, "status": status}


class Handler(BaseHTTPRequestHandler):
    """The calls of the protocol, but those of pools: a fleet without them is not upgraded by BLUE_GREEN."""

    protocol_version, timeout = "HTTP/1.1", 30

    def answer(self, body: bytes) -> Answer:
        """Status and content."""
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), f"Bearer {TOKEN}".encode()):
            return 401, {"detail": "Authorization: Bearer with the token of this agent is required"}
        names = sorted(each.name for each in FOLDER.iterdir() if each.is_dir())
        match self.command, [unquote(each) for each in self.path.split("/")[1:]]:
            case "GET", ["fleets", fleet] if fleet == FLEET:
                with ThreadPoolExecutor(8) as pool:
                    found = {"fleet": fleet, "instances": list(pool.map(instance, names))}
                return 200, found | {"capacity": {"freeInstances": 0}, "traffic": "blue"}
            case "GET", ["fleets", fleet, "instances", name, *what] if fleet == FLEET and name in names:
                found = instance(name)
                return (503 if what == ["health"] and not found["healthy"] else 200), found
            case (("POST" | "PUT"), ["fleets", fleet, "instances", name, verb]) if fleet == FLEET and name in names:
                version = json.loads(body)["version"] if verb == "version" else "-"
                key, fence = self.headers["Idempotency-Key"], int(self.headers["X-Fencing-Token"])
                if not (key and isinstance(version, str) and version.strip() and version.isprintable()):
                    raise ValueError("Idempotency-Key and version are texts")
                return order(name, GOALS[verb], version, key, fence)
        return 404, {"detail": f"there is no {self.command} {self.path}"}

    def do_GET(self) -> None:
        """Answer any call; what cannot be read is 400, what cannot be kept 503."""
        try:
            if not 0 <= (length := int(self.headers.get("Content-Length") or 0)) <= LONGEST_BODY:
                raise ValueError(f"a body has at most {LONGEST_BODY} bytes")
            status, found = self.answer(self.rfile.read(length))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            status, found = 400, {"detail": f"the call cannot be read: {error!r}"}
        except OSError as error:
            status, found = 503, {"detail": f"the order cannot be kept: {error}"}
        content = json.dumps(found).encode()
        self.send_response(status)
        if status == 400:  # its body may not have been read
            self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_DELETE = do_GET


for each, then in list(state["at"].items()):
    if then["goal"]:  # the agent ended in the middle of it: go on
        begin(each)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), Handler).serve_forever()
