"""`make bench`: what requests cost, each beside a bare answer of the same server in the same run.

Machines are noisy, so the ratio is the figure to compare. Rows take turns, and the best of each figure counts.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench_server import Load, Server, be_important, put_load, serve

SECONDS = 1.0
ROUNDS = 6
PRODUCT = "codepush_site.wsgi:application"
UPDATE_CHECK = "/api/v0.1/public/codepush/update_check"
REPORT_DEPLOY = "/api/v0.1/public/codepush/report_status/deploy"
DEVICES = 4000

BARE_APP = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"OK"]
"""


def main() -> None:
    be_important()
    with tempfile.TemporaryDirectory(prefix="codepush-bench-") as folder:
        os.environ.update(
            VAR_DIR=folder, SECRET_KEY="bench", DJANGO_SETTINGS_MODULE="codepush_site.settings", LOG_FORMAT="text"
        )
        Path(folder, "bare.py").write_text(BARE_APP)
        Path(folder, "static").mkdir()
        prefix = f"bench-{int(time.time())}"
        data = json.loads(_run("tests.bench_data", prefix))
        with serve("bare:application", folder) as bare, serve(PRODUCT, folder) as product:
            _measure_requests(bare, product, data)
            print(flush=True)
            subprocess.run(
                [sys.executable, "-m", "tests.bench_release_api", f"http://127.0.0.1:{product.port}"], check=True
            )
        for module, argument in (
            ("tests.bench_bytes", data["samples"]["key"]),
            ("tests.bench_freshness", data["samples"]["key"]),
            ("tests.bench_fuzz", data["samples"]["key"]),
            ("tests.bench_processing", data["samples"]["key"]),
            ("tests.bench_uploads", ""),
            ("tests.bench_aggregation", ""),
            ("tests.bench_pages", ""),
            ("tests.bench_load", ""),
        ):
            print(flush=True)
            subprocess.run([sys.executable, "-m", module, argument], check=True)


def _run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _measure_requests(bare: Server, product: Server, data: dict[str, Any]) -> None:
    rows: dict[str, tuple[Server, list[bytes]]] = {"bare answer": (bare, [_get("/")] * 4)}
    rows |= {name: (product, requests) for name, requests in _list_requests(data).items()}
    started_mb = product.memory_mb()
    for server, requests in rows.values():
        # Everything is hot, and the devices of all builds have been answered once.
        put_load(server, requests, 1.0)
    _ask_all(product, rows[HOT][1])
    hot_mb = product.memory_mb()
    loads: dict[str, list[Load]] = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, (server, requests) in rows.items():
            loads[name].append(put_load(server, requests, SECONDS))
    _print_table(rows, loads)
    builds = f"{len(data['hot']):,} builds hot"
    print(f"memory of a web process: {started_mb:.0f} MB at first, {hot_mb:.0f} MB with {builds}")
    with serve(PRODUCT, os.environ["VAR_DIR"], DJANGO_SETTINGS_MODULE="codepush_site.device_settings") as for_devices:
        started_mb = for_devices.memory_mb()
        _ask_all(for_devices, rows[HOT][1])
        print(f"one for devices only: {started_mb:.0f} MB at first, {for_devices.memory_mb():.0f} MB with {builds}")


def _print_table(rows: dict[str, tuple[Server, list[bytes]]], loads: dict[str, list[Load]]) -> None:
    columns = ("requests/s", "ratio", "server µs", "ratio", "p50 ms", "p99 ms", "p99 ms at half")
    print(f"{'':34}" + "".join(f"{column:>{len(column) + 3}}" for column in columns))
    bare_rate, bare_cpu = _best(loads["bare answer"])
    for name, (server, requests) in rows.items():
        rate, cpu = _best(loads[name])
        # Whatever else the machine does shows here first.
        at_half = [put_load(server, requests, SECONDS / 2, rate=rate / 2) for _ in range(ROUNDS)]
        figures = (
            f"{rate:,.0f}",
            f"{rate / bare_rate:.2f}",
            f"{cpu:.1f}",
            f"{bare_cpu / cpu:.2f}",
            f"{min(load.percentile(50) for load in loads[name]):.2f}",
            f"{min(load.percentile(99) for load in loads[name]):.2f}",
            f"{min(load.percentile(99) for load in at_half):.2f}",
        )
        line = "".join(f"{text:>{len(column) + 3}}" for text, column in zip(figures, columns, strict=True))
        print(f"{name:34}{line}", flush=True)


def _best(loads: list[Load]) -> tuple[float, float]:
    """(highest rate, least processor time of the server for a request)."""
    return max(load.rate for load in loads), min(load.cpu_microseconds for load in loads)


HOT = "10,000 builds, one after the other"


def _list_requests(data: dict[str, Any]) -> dict[str, list[bytes]]:
    rollout, short, long, hot = (data[name] for name in ("rollout", "short", "long", "hot"))
    return {
        "up to date, 5 releases": _for_devices(short, "newest", "v5"),
        "up to date, 10,000 releases": _for_devices(long, "newest", "v10000"),
        "update, 5 releases": _for_devices(short, "before", "v4"),
        "update, 10,000 releases": _for_devices(long, "before", "v9999"),
        "update, rollout of 50 %": _for_devices(rollout, "before", "v3"),
        HOT: [_check(build["key"], build["before"], "v19", number) for number, build in enumerate(hot)],
        "the same build, as often": _for_devices(hot[0], "before", "v19"),
        "unknown key": [_check("unknown-deployment-key", "", "", number) for number in range(DEVICES)],
        f"report ({_name_report_log()})": [_report(short["key"], number) for number in range(DEVICES)],
    }


def _for_devices(build: dict[str, str], running: str, label: str) -> list[bytes]:
    return [_check(build["key"], build[running], label, number) for number in range(DEVICES)]


def _check(key: str, package_hash: str, label: str, device: int) -> bytes:
    running = f"&package_hash={package_hash}&label={label}" if label else ""
    return _get(f"{UPDATE_CHECK}?deployment_key={key}&app_version=3.0.0{running}&client_unique_id=device-{device}")


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def _ask_all(server: Server, requests: list[bytes]) -> None:
    """Each once at least, however long it takes."""
    put_load(server, requests, 1.0)
    deadline, before = time.monotonic() + 300, -1.0
    while time.monotonic() < deadline and server.memory_mb() - before > 0.5:
        before = server.memory_mb()
        put_load(server, requests, 10.0)


def _name_report_log() -> str:
    if os.environ.get("REDIS_URL"):
        return "Redis"
    return "PostgreSQL" if os.environ.get("DATABASE_URL") else "SQLite, durable"


def _report(key: str, number: int) -> bytes:
    body = json.dumps(
        {
            "deployment_key": key,
            "app_version": "3.0.0",
            "client_unique_id": f"device-{number}",
            "label": "v2",
            "status": "DeploymentSucceeded",
        }
    )
    head = f"POST {REPORT_DEPLOY} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json"
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


if __name__ == "__main__":
    main()
