"""The product as it really runs: the processes of the Procfile, on a folder and databases of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import httpx

ROOT = Path(__file__).parent.parent.parent
_START_SECONDS = 30.0
_CALL_PERSON = "import django; django.setup(); from tests.flows.person import main; main()"


class Product:
    """One installation. `url` is where devices and people reach it once a web process runs. `root`: its code.

    `port`: that of another version, to take its place.
    """

    def __init__(
        self, folder: Path, environment: dict[str, str], *, root: Path = ROOT, port: int | None = None
    ) -> None:
        self.folder = folder
        self.root = root
        self.processes = _read_procfile(root)
        self.port = port or find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "codepush_site.settings",
            "SECRET_KEY": "for-flows-only",
            "VAR_DIR": str(folder),
            "PYTHON": sys.executable,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "2",
            "PROCESSING_LEASE_SECONDS": "2",
            # One token asks all that schemathesis can think of.
            "API_REQUESTS_PER_SECOND": "0",
            **environment,
        }

    def prepare(self) -> None:
        self._run([sys.executable, "manage.py", "prepare"])

    def person(self, action: str, *, environment: dict[str, str] | None = None, **values: Any) -> dict[str, Any]:
        """What the function of tests/flows/person.py answered. It ran in a process of its own."""
        output = self._run([sys.executable, "-c", _CALL_PERSON, action, json.dumps(values)], environment)
        result: dict[str, Any] = json.loads(output)
        return result

    def manage(self, *arguments: str) -> str:
        return self._run([sys.executable, "manage.py", *arguments])

    @contextmanager
    def running(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """The Procfile's process of that name runs inside, in a process group of its own, and is gone afterwards."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = self._start(self.processes[name], log)
        try:
            yield process
        finally:
            kill_group(process)

    def wait_until_it_answers(self) -> None:
        wait_for(self._answers, "the web process answers", _START_SECONDS, self._read_logs)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/updateCheck").status_code == 400
        except httpx.TransportError:
            return False

    def count_listening(self) -> int:
        """Web processes that take connections: each has a socket of its own. On Linux."""
        listening = f":{self.port:04X} 00000000:0000 0A "
        return Path("/proc/net/tcp").read_text().count(listening)

    def ask(self, key: str, app_version: str = "3.0.0", **more: str) -> dict[str, Any]:
        """The `update_info` that a device gets."""
        query = {"deployment_key": key, "app_version": app_version, "client_unique_id": "flow-device", **more}
        answer = httpx.get(f"{self.url}/api/v0.1/public/codepush/update_check", params=query)
        answer.raise_for_status()
        info: dict[str, Any] = answer.json()["update_info"]
        return info

    def wait_for_label(self, key: str, label: str, seconds: float, *, app_version: str = "3.0.0") -> float:
        """When devices were first offered the label, in seconds since the epoch. By now all web processes offer it."""
        wait_for(lambda: self.ask(key, app_version)["label"] == label, f"{label} is offered", seconds, self._read_logs)
        offered_at = time.time()
        # One web process answered; the others know within a second. That is the promise.
        time.sleep(1)
        return offered_at

    def _start(self, command: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=self.root,
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def _run(self, command: list[str], environment: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment | (environment or {}),
            capture_output=True,
            text=True,
            # Twenty migrations of a small host that does other things, too.
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command[1:]} failed:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _read_logs(self) -> str:
        return "\n".join(f"--- {log.name}\n{log.read_text()[-2000:]}" for log in self.folder.glob("*.log"))


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """The process and all its children are gone; killed before is fine."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(is_so: Callable[[], bool], fact: str, seconds: float, explain: Callable[[], str] = lambda: "") -> None:
    """Fails, naming the fact, unless it becomes so within the time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"Not within {seconds:.0f} s: {fact}.\n{explain()}"
        time.sleep(0.02)


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _read_procfile(root: Path) -> dict[str, str]:
    lines = (root / "Procfile").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line)
