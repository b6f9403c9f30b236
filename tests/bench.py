"""`make bench`: what requests cost, each beside a bare answer of the same server in the same run.

Machines are noisy, so the ratio is the figure to compare.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Process, Queue
from pathlib import Path

SECONDS = 4.0
CLIENTS = 4
# Of this run: a database that DATABASE_URL names keeps those of earlier ones.
KEY = f"bench-{int(time.time())}"
PRODUCT = "codepush_site.wsgi:application"
UPDATE_CHECK = "/api/v0.1/public/codepush/update_check"
REPORT_DEPLOY = "/api/v0.1/public/codepush/report_status/deploy"

BARE_APP = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"OK"]
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="codepush-bench-") as folder:
        os.environ.update(VAR_DIR=folder, SECRET_KEY="bench", DJANGO_SETTINGS_MODULE="codepush_site.settings")
        Path(folder, "bare.py").write_text(BARE_APP)
        Path(folder, "static").mkdir()
        command = [sys.executable, "-m", "tests.bench_data", KEY]
        setup = subprocess.run(command, check=True, capture_output=True, text=True)
        newest_hash = json.loads(setup.stdout)["package_hash"]
        check = f"{UPDATE_CHECK}?deployment_key={KEY}&app_version=3.0.0&client_unique_id="
        rows: list[tuple[str, Callable[[int], bytes], str]] = [
            ("bare answer", lambda n: _get("/"), "bare:application"),
            ("check, up to date", lambda n: _get(f"{check}d{n}&package_hash={newest_hash}"), PRODUCT),
            ("check, offered", lambda n: _get(f"{check}d{n}"), PRODUCT),
            ("check, 404", lambda n: _get(check.replace(KEY, "unknown-deployment-key")), PRODUCT),
            (f"report ({_name_report_log()})", _report, PRODUCT),
        ]
        bare = 0.0
        print(f"{'':28}{'requests/s':>12}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}")
        for name, request, app in rows:
            with serve(app, folder) as port:
                rate, latencies = _load(port, request)
            bare = bare or rate
            p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
            print(f"{name:28}{rate:>12,.0f}{rate / bare:>8.2f}{p50 * 1000:>9.2f}{p99 * 1000:>9.2f}", flush=True)
        with serve(PRODUCT, folder) as port:
            url = f"http://127.0.0.1:{port}"
            subprocess.run([sys.executable, "-m", "tests.bench_release_api", url], check=True)
        subprocess.run([sys.executable, "-m", "tests.bench_processing", KEY], check=True)
        for part in ("aggregation", "pages", "load"):
            subprocess.run([sys.executable, "-m", f"tests.bench_{part}"], check=True)


def _name_report_log() -> str:
    if os.environ.get("REDIS_URL"):
        return "Redis"
    return "PostgreSQL" if os.environ.get("DATABASE_URL") else "SQLite, durable"


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def _report(number: int) -> bytes:
    body = json.dumps(
        {
            "deployment_key": KEY,
            "app_version": "3.0.0",
            "client_unique_id": f"device-{number}",
            "label": "v2",
            "status": "DeploymentSucceeded",
        }
    )
    head = f"POST {REPORT_DEPLOY} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json"
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@contextmanager
def serve(app: str, folder: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws", "--no-log", app]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": f"{Path.cwd()}:{folder}"}) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            time.sleep(0.5)
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("The server did not start.")


def _load(port: int, request: Callable[[int], bytes]) -> tuple[float, list[float]]:
    """(answers per second, sorted latencies in seconds) of CLIENTS keep-alive connections."""
    results: Queue[list[float]] = Queue()
    clients = [Process(target=_client, args=(port, request, place, results)) for place in range(CLIENTS)]
    for client in clients:
        client.start()
    latencies = sorted(latency for _ in clients for latency in results.get())
    for client in clients:
        client.join()
    return len(latencies) / SECONDS, latencies


def _client(port: int, request: Callable[[int], bytes], place: int, results: "Queue[list[float]]") -> None:
    latencies = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number, end = place, time.monotonic() + SECONDS
        while (start := time.monotonic()) < end:
            connection.sendall(request(number))
            answer = connection.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(65536)
            latencies.append(time.monotonic() - start)
            number += CLIENTS
    results.put(latencies)


if __name__ == "__main__":
    main()
