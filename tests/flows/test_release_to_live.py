"""From an upload to what phones get, with real processes: web, worker and beat."""

import subprocess
import time
import zipfile
from pathlib import Path
from random import Random

import pytest

from tests.flows import person
from tests.flows.product import Product, kill_group, wait_for
from tests.flows.visitor import Visitor

# Nothing listens at port 1.
_BROKER_DOWN = {"REDIS_URL": "redis://127.0.0.1:1/0"}


def _make_large_archive(path: Path, megabytes: int) -> Path:
    """An archive that a worker is busy with for a while: assets that do not shrink."""
    chance = Random(0)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("CodePush/index.android.bundle", "console.log('large')")
        for number in range(megabytes):
            archive.writestr(f"CodePush/assets/{number}.bin", chance.randbytes(1_000_000))
    return path


def test_an_upload_at_the_dashboard_is_offered_to_devices_soon(
    product: Product, worker: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    build = product.person("make_build")
    with Visitor(product.url) as visitor:
        visitor.open("/sign-in/")
        visitor.submit(username=person.USERNAME, password=person.PASSWORD)
        # A worker takes a second to start, and the first page its time; what is measured is a product in use.
        for label, sample in (("v1", "android-v1.zip"), ("v2", "android-v2.zip")):
            visitor.open(f"/projects/{person.SLUG}/builds/{build['id']}/codepush/new/")
            started_at = time.time()
            visitor.submit(file=person.SAMPLES / sample, description=f"Made from {sample}")
            seconds = product.wait_for_label(build["key"], label, 20) - started_at
        visitor.open(f"/projects/{person.SLUG}/builds/{build['id']}/")

    with capsys.disabled():
        print(f"\nUpload of 889 kB at the dashboard → offered to devices: {seconds:.2f} s")
    assert seconds < 4
    assert "Made from android-v2.zip" in visitor.page


def test_a_worker_killed_in_the_middle_is_replaced_and_the_label_given_once(
    product: Product,
    worker: subprocess.Popen[bytes],
    numbers: subprocess.Popen[bytes],
    beat: subprocess.Popen[bytes],
    tmp_path: Path,
) -> None:
    build = product.person("make_build")
    archive = _make_large_archive(tmp_path / "large.zip", megabytes=60)

    killed = product.person("upload_and_kill_worker", build_id=build["id"], path=str(archive), process_group=worker.pid)
    kill_group(worker)
    assert (killed["status"], killed["label"]) == ("processing", ""), "The worker was too fast: use a larger archive."
    assert not product.ask(build["key"])["is_available"]

    with product.running("worker"):
        product.wait_for_label(build["key"], "v1", 20)

    assert product.person("describe", codepush_id=killed["id"]) == {
        "status": "success",
        "label": "v1",
        "attempts": 2,
        "failure_reason": "",
        "successes_in_audit": 1,
    }


def test_a_worker_whose_children_are_killed_goes_on(product: Product, worker: subprocess.Popen[bytes]) -> None:
    """Idle ones too: one of them may hold what the others wait for. Without children of its own there is no such."""
    build = product.person("make_build")
    product.person("upload", build_id=build["id"], path=str(person.SAMPLES / "android-v1.zip"))
    product.wait_for_label(build["key"], "v1", 20)

    subprocess.run(["pkill", "-KILL", "-P", str(worker.pid)], check=False)

    product.person("upload", build_id=build["id"], path=str(person.SAMPLES / "android-v2.zip"))
    product.wait_for_label(build["key"], "v2", 20)


def test_a_rollback_reaches_devices_within_a_second_without_worker_and_broker(product: Product) -> None:
    build = product.person("make_build")
    for sample in ("android-v1.zip", "android-v2.zip"):
        product.person("publish", build_id=build["id"], sample=sample)
    product.wait_for_label(build["key"], "v2", 5)

    rolled_back = product.person("roll_back", build_id=build["id"], to_label="v1", environment=_BROKER_DOWN)

    # The service's process took its time to end; both web workers have had a second since the commit, not more.
    time.sleep(max(0.0, rolled_back["at"] + 1 - time.time()))
    labels = {product.ask(build["key"])["label"] for _ in range(20)}
    assert labels == {"v3"}


def test_what_was_uploaded_while_no_worker_ran_is_processed_when_one_starts(product: Product) -> None:
    build = product.person("make_build")
    product.person("upload", build_id=build["id"], path=str(person.SAMPLES / "android-v1.zip"))
    wait_for(lambda: not product.ask(build["key"])["is_available"], "nothing is offered yet", 1)

    with product.running("worker"), product.running("numbers"), product.running("beat"):
        product.wait_for_label(build["key"], "v1", 20)
