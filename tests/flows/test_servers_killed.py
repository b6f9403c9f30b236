"""PostgreSQL and Redis die by SIGKILL while devices report and reports are applied: no number is lost or doubled."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.flows.product import Product
from tests.flows.servers import Server, own_postgresql, own_redis

_SENDERS = 4
# Between two kills; and until the dead is started again.
_PAUSE, _OUTAGE = 0.7, 0.4


def report_until_told(url: str, key: str, sender: int, stop: Event) -> Counter[str]:
    """Devices download v1 and start it, one after the other. Each sends a report until it is answered 200, as SDKs do.

    Returns how many devices did, how often each status came back, and attempts that nobody answered as "lost".
    """
    seen: Counter[str] = Counter()
    with httpx.Client(base_url=f"{url}/api/v0.1/public/codepush/report_status", timeout=5) as phone:
        while not stop.is_set():
            body = {"deployment_key": key, "client_unique_id": f"phone-{sender}-{seen['devices']}", "label": "v1"}
            started = body | {"app_version": "3.0.0", "status": "DeploymentSucceeded"}
            for path, sent in (("/download", body), ("/deploy", started)):
                while (status := _send(phone, path, sent)) != "200":
                    seen[status] += 1
                    time.sleep(0.02)
                seen["200"] += 1
            seen["devices"] += 1
    return seen


def _send(phone: httpx.Client, path: str, body: dict[str, str]) -> str:
    try:
        return str(phone.post(path, json=body).status_code)
    except httpx.TransportError:
        return "lost"


def kill_in_turn(outages: list[tuple[Server, ...]]) -> None:
    for victims in outages:
        time.sleep(_PAUSE)
        for victim in victims:
            victim.kill()
        time.sleep(_OUTAGE)
        for victim in victims:
            victim.start()
    time.sleep(_PAUSE)


def test_what_was_answered_200_is_counted_once_whatever_server_was_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with own_postgresql() as database, own_redis() as broker:
        product = Product(tmp_path, {"DATABASE_URL": database.url, "REDIS_URL": broker.url})
        product.prepare()
        outages = [(database,), (broker,), (database, broker), (database,)]
        with product.running("web"), ThreadPoolExecutor(_SENDERS + 1) as pool:
            product.wait_until_it_answers()
            build = product.person("make_build")
            product.person("publish", build_id=build["id"], sample="android-v1.zip")
            stop = Event()
            applying = pool.submit(product.person, "keep_applying", flag=str(tmp_path / "stop"))
            sending = [
                pool.submit(report_until_told, product.url, build["key"], sender, stop) for sender in range(_SENDERS)
            ]
            try:
                kill_in_turn(outages)
            finally:
                stop.set()
                (tmp_path / "stop").touch()
            seen = sum((sent.result() for sent in sending), Counter())
            applied = applying.result()
        numbers = product.person("measure", key=build["key"])

    with capsys.disabled():
        print(f"\nServers killed under reports: {dict(seen)}, applied meanwhile {applied}")
    devices, v1 = seen["devices"], numbers["by_label"]["v1"]
    assert (numbers["total_devices"], v1["downloads"], v1["installs"], v1["active_devices"]) == (devices,) * 4
    # Redis may have taken a report and died before it said so; the table takes it as well: two times, one device.
    attempts = seen["200"] + seen["503"] + seen["lost"]
    assert seen["200"] <= v1["download_reports"] + v1["install_reports"] <= attempts + _SENDERS * len(outages)
    assert seen["503"] > 0, "With both servers dead no report is answered 200."
    assert set(seen) <= {"devices", "200", "503", "lost"}
    assert applied["applied"] > 0 < applied["failures"], "No server died while reports were applied."
