"""`manage.py clean_storage`: what operators see before and after."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.utils import timezone

from builds.models import Build
from deployments import bundle_storage
from deployments.models import Bundle, CodePush
from deployments.services.codepushes import create_codepush
from tests.deployments.answers import bundle_of
from tests.deployments.stories import release, small_archive, state_of_everything, stored_files
from tests.factories import BuildFactory

ORPHAN = f"{'ab' * 32}.zip"


def _run(*options: str) -> str:
    output = StringIO()
    call_command("clean_storage", *options, stdout=output)
    return output.getvalue()


@pytest.fixture
def unused(build: Build, owner: User) -> str:
    """Beside a release: a bundle that nobody has carried for a week, one that lost its use now, and two other files."""
    # Of builds of their own: there are no diffs between these.
    builds = [build, *BuildFactory.create_batch(2, project=build.project)]
    names = [bundle_of(release(each, owner, small_archive(str(each.pk)))).storage_name for each in builds]
    CodePush.objects.filter(bundle__storage_name__in=names[1:]).delete()
    Bundle.objects.filter(storage_name=names[1]).update(unused_since=timezone.now() - timedelta(days=7))
    for name in (ORPHAN, "notes.txt"):
        bundle_storage.bundle_storage().save(name, ContentFile(b"12345678"))
    assert len(stored_files()) == 5
    return names[1]


@pytest.fixture
def _a_week_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stored is as old as the storage says it is not."""
    plain_list = bundle_storage.list_published
    week = timedelta(days=7)
    monkeypatch.setattr(
        bundle_storage,
        "list_published",
        lambda: (file._replace(modified_at=file.modified_at - week) for file in plain_list()),
    )


@pytest.mark.usefixtures("_a_week_ago")
def test_a_dry_run_lists_bytes_and_reasons_and_changes_nothing(unused: str) -> None:
    before = (state_of_everything(), list(Bundle.objects.order_by("pk").values()))

    listed = _run("--dry-run")

    assert (state_of_everything(), list(Bundle.objects.order_by("pk").values())) == before
    assert "now:        2 files, " in listed
    assert "No CodePush carries the bundle." in next(line for line in listed.splitlines() if unused in line)
    (orphan,) = [line for line in listed.splitlines() if ORPHAN in line]
    assert orphan.split()[:4] == ["now", "orphan", "8", "B"]
    assert orphan.endswith("No row refers to it, as after a worker was killed.")
    later = timezone.now() + timedelta(days=7)
    assert sum(line.startswith(f"{later:%Y-%m-%d}") for line in listed.splitlines()) == 1
    assert "The product gives no such name: left alone." in listed
    assert "stored:     5 files" in listed


@pytest.mark.usefixtures("_a_week_ago")
def test_what_a_dry_run_says_goes_now_is_what_goes(unused: str) -> None:
    announced = [json.loads(line) for line in _run("--dry-run", "--json").splitlines()]
    stored = stored_files()

    deleted: list[dict[str, Any]] = [json.loads(line) for line in _run("--json").splitlines()]

    gone = {row["name"] for row in deleted[:-1]}
    assert gone == {row["name"] for row in announced[:-1] if row["when"] == "now"} == {unused, ORPHAN}
    assert stored - stored_files() == gone
    assert deleted[-1]["totals"]["deleted"] == announced[-1]["totals"]["now"]
    assert deleted[-1]["totals"]["stored"]["files"] == 5
    assert not Bundle.objects.filter(storage_name=unused).exists()


def test_what_was_stored_a_moment_ago_stays(unused: str) -> None:
    assert "deleted:    0 files, 0 B" in _run()
    assert len(stored_files()) == 5


def test_uploads_are_listed_too(build: Build, owner: User) -> None:
    codepush = create_codepush(build.pk, actor=owner, upload=small_archive())
    assert codepush.upload_name not in _run("--dry-run")
    CodePush.objects.update(status="failed", failure_reason="Wrong.", finished_at=timezone.now())

    listed = _run("--dry-run")

    assert f"{codepush.deployment_id} is failed: kept for a retry." in listed
    assert f"{timezone.now() + timedelta(days=30):%Y-%m-%d}" in listed
