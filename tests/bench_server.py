"""A server and its clients for `tests.bench`: as many requests as it answers, or a given rate of them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Process, Queue
from pathlib import Path

CLIENTS = 4
# At a given rate nothing counts before: starting the clients takes the processor that the server needs.
_SETTLING_SECONDS = 0.5


@dataclass(frozen=True)
class Server:
    """One web process, with the options of the Procfile."""

    port: int
    pid: int

    def worker_pids(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def cpu_seconds(self) -> float:
        ticks = 0
        for pid in self.worker_pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Resident, of the largest web process; a megabyte is 2^20 bytes, as for ps and top."""
        return max(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
            for pid in self.worker_pids()
        )


@dataclass(frozen=True)
class Load:
    """`latencies`: sorted, in seconds. At a given rate they count from when a request was due."""

    rate: float
    cpu_microseconds: float
    latencies: list[float]

    def percentile(self, percent: int) -> float:
        """In milliseconds."""
        return self.latencies[min(len(self.latencies) - 1, len(self.latencies) * percent // 100)] * 1000


def be_important() -> None:
    """Other work on the machine shows less in the figures, where this user may ask for that."""
    with suppress(PermissionError):
        os.nice(-10)


@contextmanager
def serve(app: str, folder: str, *, workers: int = 1, **environ: str) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws", "--no-log"]
    options = ["--blocking-threads", "32", "--workers", str(workers), app]
    environment = {**os.environ, "PYTHONPATH": f"{Path.cwd()}:{folder}", "MALLOC_ARENA_MAX": "2", **environ}
    with subprocess.Popen([*command, *options], env=environment) as process:
        try:
            _wait_for(port)
            yield Server(port, process.pid)
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            time.sleep(1)
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("The server did not start.")


def put_load(server: Server, requests: list[bytes], seconds: float, *, rate: float = 0.0) -> Load:
    """What CLIENTS keep-alive connections got. `rate`: requests per second in all; 0: as many as there are answers."""
    results: Queue[list[float]] = Queue()
    interval = min(CLIENTS, len(requests)) / rate if rate else 0.0
    clients = [
        Process(target=_ask, args=(server.port, requests[place::CLIENTS], seconds, interval, results))
        for place in range(min(CLIENTS, len(requests)))
    ]
    cpu_before = server.cpu_seconds()
    for client in clients:
        client.start()
    latencies = sorted(latency for _ in clients for latency in results.get())
    cpu = server.cpu_seconds() - cpu_before
    for client in clients:
        client.join()
    return Load(len(latencies) / seconds, cpu / len(latencies) * 1e6, latencies)


def _ask(port: int, requests: list[bytes], seconds: float, interval: float, results: "Queue[list[float]]") -> None:
    latencies = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        due = time.monotonic()
        begin = due + _SETTLING_SECONDS if interval else due
        number, end = 0, begin + seconds
        while due < end:
            if interval:
                time.sleep(max(0.0, due - time.monotonic()))
            connection.sendall(requests[number % len(requests)])
            _read(connection)
            now = time.monotonic()
            if due >= begin:
                latencies.append(now - due)
            number += 1
            due = due + interval if interval else now
    results.put(latencies)


def _read(connection: socket.socket) -> None:
    answer = connection.recv(65536)
    end = answer.find(b"\r\n\r\n")
    at = answer.lower().find(b"content-length: ") + 16
    missing = int(answer[at : answer.index(b"\r", at)]) + end + 4 - len(answer)
    while missing > 0:
        missing -= len(connection.recv(65536))
