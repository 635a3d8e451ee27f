"""A fleet agent in about a hundred lines: UPGRADE_AGENT_TOKEN=… python agent.py FLEET FOLDER PORT.

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
Answer = tuple[int, dict[str, Any]]
state: dict[str, Any] = json.loads(STATE.read_text()) if STATE.exists() else {"fence": 0, "keys": [], "at": {}}


def save(name: str, **changed: str) -> None:
    """On the disk before anything is done or answered, so that a crash forgets no order."""
    state["at"][name] = at(name) | changed
    with open(FOLDER / "state.new", "w") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(FOLDER / "state.new", STATE)


def at(name: str) -> dict[str, str]:
    """What the instance is doing: its status, the program that is to succeed, and why it has not."""
    return dict(state["at"].get(name, {"status": "RUNNING", "goal": "", "version": "", "detail": ""}))


def run(name: str, program: str, *arguments: str) -> tuple[bool, str]:
    """Whether the program succeeded, and what it printed: into a file, which does not end with us as a pipe would."""
    folder, seconds, keep = FOLDER / name, SECONDS[program], list[int]()
    command = [str(folder / program), *arguments]
    with open(folder / "order.lock", "w") as lock, tempfile.TemporaryFile() as said:
        if program not in ("version", "health"):  # one order at a time, also when we are killed: the keeper goes on
            fcntl.flock(lock, fcntl.LOCK_EX)
            command, seconds = [sys.executable, "-c", KEEPER, str(seconds), *command], seconds + 5
            keep.append(lock.fileno())
        try:
            code = subprocess.run(
                command, cwd=folder, stdout=said, stderr=subprocess.STDOUT, timeout=seconds, pass_fds=keep
            ).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            return False, str(error)
        said.seek(0)
        return code == 0, said.read().decode(errors="replace").strip()[-2000:]


def work(name: str) -> None:
    """Pursue the instance's goal until it has none; a newer goal follows the one that was begun."""
    with WORKERS.setdefault(name, threading.Lock()):
        while goal := at(name)["goal"]:
            well, said = run(name, goal, *([at(name)["version"]] if goal == "upgrade" else []))
            if well and goal == "upgrade":
                well, said = run(name, "undrain")
            after = {"drain": "DRAINED", "undrain": "RUNNING", "upgrade": "RUNNING" if well else "STOPPED"}[goal]
            with LOCK:
                if at(name)["goal"] == goal and (well or goal == "upgrade"):
                    save(name, status=after, goal="", detail="" if well else said)
            if not well:
                print(f"{name}: {goal} failed: {said}", file=sys.stderr, flush=True)
            time.sleep(0 if well or goal == "upgrade" else 1)


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
        state["fence"], status = fence, at(name)["status"]
        if key not in state["keys"] and status in BEGINS_IN[goal]:
            state["keys"] = [*state["keys"][-9999:], key]
            status = "UPGRADING" if goal == "upgrade" else "DRAINING"
            save(name, status=status, goal=goal, version=version, detail="")
            begin(name)
        elif key not in state["keys"] and status not in THERE_IN[goal]:
            save(name)
            return 409, {"detail": f"{name} is {status}: {goal} needs {' or '.join(sorted(BEGINS_IN[goal]))}"}
        else:
            save(name)
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
            case _, ["fleets", fleet, "instances", name, verb] if fleet == FLEET and name in names:
                version = str(json.loads(body)["version"]) if verb == "version" else ""
                given = self.headers["Idempotency-Key"], int(self.headers["X-Fencing-Token"])
                return order(name, GOALS[verb], version, *given)
        return 404, {"detail": f"there is no {self.command} {self.path}"}

    def do_GET(self) -> None:
        """Answer any call; what cannot be read is 400."""
        try:
            status, found = self.answer(self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 65536)))
        except (KeyError, TypeError, ValueError) as error:
            status, found = 400, {"detail": f"the call cannot be read: {error!r}"}
        content = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_DELETE = do_GET


for each, then in state["at"].items():
    if then["goal"]:  # the agent ended in the middle of it: go on
        begin(each)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), Handler).serve_forever()
