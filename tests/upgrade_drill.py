"""The database is migrated to this version while the processes of an older one work on: `make run` of two versions.

    python -m tests.upgrade_drill [OLD_COMMIT]

On the embedded defaults, or on scratch databases where DATABASE_URL and REDIS_URL are set. Both versions use the
packages that are installed here. Without OLD_COMMIT it is the one before the newest migration. Prints a table; ends
with 1 if something did not hold. Under load, and with the new version's processes: `make drills ARGS=deployment`.
"""

import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.drills.versions import checked_out, find_old_commit
from tests.flows.conftest import scratch_database, scratch_redis
from tests.flows.product import ROOT, Product

_PROCESSES = ("web", "worker", "numbers", "hooks", "beat")


@contextmanager
def _phones_asking(product: Product, key: str) -> Iterator[Counter[str]]:
    """Counts what they are answered, and how often not at all."""
    answers: Counter[str] = Counter()
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.wait(0.02):
            try:
                answers[product.ask(key)["label"]] += 1
            except httpx.HTTPError as failure:
                answers[type(failure).__name__] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        is_over.set()
        thread.join()


def _drill(old: Product, new: Product) -> list[tuple[str, bool, str]]:
    """(what must hold, whether it did, figures)."""
    old.prepare()
    build = old.person("make_build")
    old.person("publish", build_id=build["id"], sample="android-v1.zip")
    with ExitStack() as running:
        for name in (name for name in _PROCESSES if name in old.processes):
            running.enter_context(old.running(name))
        old.wait_until_it_answers()
        with _phones_asking(old, build["key"]) as answers:
            started_at = time.monotonic()
            new.manage("migrate", "--noinput")
            seconds = time.monotonic() - started_at
        rows = [
            ("phones are answered during the migration", set(answers) == {"v1"}, f"{seconds:.1f} s, {dict(answers)}")
        ]
        old.person("upload", build_id=build["id"], path=str(ROOT / "tests" / "samples" / "android-v2.zip"))
        started_at = time.time()
        offered_at = old.wait_for_label(build["key"], "v2", 60)
        rows.append(("the old worker publishes an upload", True, f"{offered_at - started_at:.1f} s"))
        old.person("roll_back", build_id=build["id"], to_label="v1")
        time.sleep(1)
        rows.append(("the old code rolls back", old.ask(build["key"])["label"] == "v3", "within 1 s"))
        report = {"deployment_key": build["key"], "app_version": "3.0.0", "client_unique_id": "phone"}
        httpx.post(f"{old.url}/api/v0.1/public/codepush/report_status/deploy", json=report).raise_for_status()
        counted = old.person("measure_when_applied", keys=[build["key"]], seconds=30)[build["key"]]["total_devices"]
        rows.append(("the old code counts reports", counted == 1, f"{counted} device"))
        with new.running("web"):
            new.wait_until_it_answers()
            labels = [product.ask(build["key"])["label"] for product in (old, new)]
        rows.append(("both versions answer alike", labels == ["v3", "v3"], " ".join(labels)))
    return rows


def main(commit: str) -> int:
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="codepush-upgrade-")))
        environment = held.enter_context(scratch_database()) | held.enter_context(scratch_redis())
        root = held.enter_context(checked_out(commit, folder / "old"))
        variables = folder / "var"
        variables.mkdir()
        rows = _drill(Product(variables, environment, root=root), Product(variables, environment))
    for fact, is_so, figures in rows:
        print(f"{'ok    ' if is_so else 'FAILED'} {fact:<44} {figures}")
    return 0 if all(is_so for _, is_so, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else find_old_commit()))
