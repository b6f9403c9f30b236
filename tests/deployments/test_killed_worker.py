"""A worker process killed by SIGKILL at any step leaves a CodePush that another worker finishes, once."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from builds.models import AuditEntry, Build
from deployments import bundle_storage
from deployments.models import Bundle, BundleDiff, BundlePatch, CodePush
from deployments.services import leftovers
from deployments.services.codepushes import create_codepush
from deployments.services.leftovers import delete_leftover_uploads
from deployments.services.processing import list_claimable_ids, process_codepush
from tests.deployments.stories import release, sample, stored_files

# Processes see what is committed only.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting(build: Build, release_manager: User, settings: Settings, bundle_folder: Path) -> CodePush:
    """v2 of a build with a v1, waiting for a worker. A dead worker is given up after a second."""
    settings.PROCESSING_LEASE_SECONDS = 1
    release(build, release_manager, sample("android-v1"))
    return create_codepush(build.pk, actor=release_manager, upload=sample("android-v2"))


def _start_worker(codepush: CodePush, folder: Path, *, die: str = "none") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.deployments.killed_worker", die, str(codepush.pk)],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "TEST_DATABASE": str(connection.settings_dict["NAME"]),
            "VAR_DIR": str(folder),
            "STORAGE_URL": f"file:{folder / 'bundles'}",
            "PROCESSING_LEASE_SECONDS": "1",
        },
        stderr=subprocess.PIPE,
        text=True,
    )


def _kill_worker(codepush: CodePush, bundle_folder: Path, step: str) -> None:
    worker = _start_worker(codepush, bundle_folder.parent, die=step)
    _, errors = worker.communicate(timeout=30)
    assert worker.returncode == -signal.SIGKILL, errors


def _sweep_until_finished(codepush: CodePush) -> CodePush:
    """What beat and a living worker do, every few seconds."""
    gives_up_at = time.monotonic() + 10
    while CodePush.objects.unfinished().exists():
        assert time.monotonic() < gives_up_at, "nobody took it over"
        for codepush_id in list_claimable_ids():
            process_codepush(codepush_id)
        time.sleep(0.05)
    return CodePush.objects.get(pk=codepush.pk)


@pytest.mark.parametrize(
    "step",
    [
        "before the claim",
        "after the claim",
        "while checking",
        "after storing the file",
        "while making diffs",
        "while making patches",
        "after making diffs",
        "with the label written but not committed",
    ],
)
def test_another_worker_finishes_it_once(waiting: CodePush, bundle_folder: Path, step: str) -> None:
    _kill_worker(waiting, bundle_folder, step)

    left = CodePush.objects.get(pk=waiting.pk)
    assert (left.status, left.label) == ("pending" if step == "before the claim" else "processing", "")
    if step != "before the claim":
        assert list_claimable_ids() == []

    finished = _sweep_until_finished(waiting)

    assert (finished.status, finished.label) == ("success", "v2")
    assert finished.attempt_count == (1 if step == "before the claim" else 2)
    _assert_published_once()
    assert not bundle_storage.exists(waiting.upload_name)


def test_killed_right_after_the_commit_it_is_finished_and_the_hourly_sweep_deletes_the_upload(
    waiting: CodePush, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kill_worker(waiting, bundle_folder, "right after the commit")

    finished = CodePush.objects.get(pk=waiting.pk)
    assert (finished.status, finished.label, finished.attempt_count) == ("success", "v2", 1)
    assert bundle_storage.exists(waiting.upload_name)

    time.sleep(settings.PROCESSING_LEASE_SECONDS)
    assert list_claimable_ids() == []
    process_codepush(waiting.pk)
    monkeypatch.setattr(leftovers, "UPLOAD_GRACE", timedelta(0))
    delete_leftover_uploads(timezone.now())

    _assert_published_once()
    assert not bundle_storage.exists(waiting.upload_name)


def test_two_workers_that_were_told_of_the_same_one_publish_it_once(waiting: CodePush, bundle_folder: Path) -> None:
    workers = [_start_worker(waiting, bundle_folder.parent) for _ in range(2)]
    for worker in workers:
        _, errors = worker.communicate(timeout=30)
        assert worker.returncode == 0, errors

    assert CodePush.objects.get(pk=waiting.pk).attempt_count == 1
    _assert_published_once()


def test_a_worker_that_stood_still_for_longer_than_the_lease_publishes_nothing(
    waiting: CodePush, bundle_folder: Path
) -> None:
    worker = _start_worker(waiting, bundle_folder.parent, die="not, but stand still while checking")
    _, status = os.waitpid(worker.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), worker.communicate()
    try:
        finished = _sweep_until_finished(waiting)
    finally:
        worker.send_signal(signal.SIGCONT)
    _, errors = worker.communicate(timeout=30)

    assert worker.returncode == 0, errors
    assert (finished.label, finished.attempt_count) == ("v2", 2)
    _assert_published_once()


def _assert_published_once() -> None:
    """v1 and v2, each announced once; two bundles, the diff and the patch between them, each stored under its name."""
    assert list(CodePush.objects.order_by("pk").values_list("label_number", flat=True)) == [1, 2]
    assert AuditEntry.objects.filter(action="codepush.succeeded").count() == 2
    assert AuditEntry.objects.exclude(action__in=["codepush.succeeded", "codepush.created"]).count() == 0
    kept: list[Bundle | BundleDiff | BundlePatch] = [
        *Bundle.objects.all(),
        *BundleDiff.objects.all(),
        *BundlePatch.objects.all(),
    ]
    assert [type(row) for row in kept] == [Bundle, Bundle, BundleDiff, BundlePatch]
    assert stored_files() == {row.storage_name for row in kept}
