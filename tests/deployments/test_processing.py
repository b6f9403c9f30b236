"""A worker with real archives: what is published, and what fails in words."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from builds.models import AuditEntry, Build
from deployments.models import Bundle, BundleDiff, CodePush
from deployments.services.attempt import Attempt
from deployments.services.codepushes import create_codepush
from deployments.services.processing import process_codepush
from tests.deployments.stories import audited, live_label, release, revision, sample, small_archive, stored_files
from tests.factories import BuildFactory, CodePushFactory

# As computed by hand from the archive, by the rule of docs/protocol.md, "Package hash".
ANDROID_V1_HASH = "87d2170ede8f295d37cbde3891dcc34dba4aab37a215fa9a4ac965482336061f"


def test_a_real_archive_becomes_live(build: Build, release_manager: User) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=sample("android-v1"))
    before = revision(build)
    with audited("codepush.succeeded"):
        process_codepush(codepush.pk)

    codepush.refresh_from_db()
    assert (codepush.status, codepush.label, codepush.failure_reason) == ("success", "v1", "")
    assert (codepush.step, codepush.progress_percent, codepush.attempt_id) == ("publishing", 100, None)
    assert (live_label(build), revision(build)) == ("v1", before + 1)
    bundle = codepush.bundle
    assert bundle is not None
    assert (bundle.size_bytes, bundle.js_bundle_path) == (889_082, "CodePush/index.android.bundle")
    assert (bundle.package_hash, bundle.hermes_bytecode_version) == (ANDROID_V1_HASH, 96)
    assert len(bundle.manifest) == 7
    assert stored_files() == {f"{bundle.archive_sha256}.zip"}


def test_the_duration_is_what_lies_between_start_and_finish(build: Build, release_manager: User) -> None:
    codepush = release(build, release_manager, sample("android-v1"))

    assert codepush.started_at is not None
    assert codepush.finished_at is not None
    assert codepush.created_at <= codepush.started_at < codepush.finished_at
    assert codepush.duration_ms == round((codepush.finished_at - codepush.started_at) / timedelta(milliseconds=1))


def test_a_clock_that_was_set_back_gives_no_negative_duration(build: Build) -> None:
    codepush = CodePushFactory(
        build=build, status="processing", started_at=timezone.now() + timedelta(hours=1), finished_at=None
    )
    attempt = Attempt(codepush)
    codepush.status, codepush.failure_reason = "failed", "Wrong."
    attempt.finish()

    assert CodePush.objects.get().duration_ms == 0


def test_plain_javascript_has_no_bytecode_version(project: object, release_manager: User) -> None:
    codepush = release(BuildFactory(project=project, platform="ios"), release_manager, sample("ios-v1"))

    assert codepush.bundle is not None
    assert (codepush.bundle.hermes_bytecode_version, codepush.bundle.js_bundle_path) == (None, "CodePush/main.jsbundle")


def test_the_second_bundle_gets_a_diff_from_the_first(build: Build, release_manager: User) -> None:
    first = release(build, release_manager, sample("android-v1"))
    second = release(build, release_manager, sample("android-v2"))

    diff = BundleDiff.objects.get()
    assert (second.label, diff.from_bundle, diff.to_bundle) == ("v2", first.bundle, second.bundle)
    # One line of text changed: the six images are left out.
    assert diff.size_bytes < second.bundle.size_bytes * 0.7  # type: ignore[union-attr]
    assert diff.storage_name in stored_files()


def test_only_the_five_newest_different_bundles_are_diffed(build: Build, release_manager: User) -> None:
    for number in range(1, 8):
        release(build, release_manager, small_archive(f"run({number})"))
    release(build, release_manager, small_archive("run(7)"), allows_identical=True)
    newest = release(build, release_manager, small_archive("run(9)"))

    sources = BundleDiff.objects.filter(to_bundle=newest.bundle).values_list("from_bundle__codepushes__label_number")
    assert {number for (number,) in sources} == {3, 4, 5, 6, 7, 8}
    assert BundleDiff.objects.filter(to_bundle=newest.bundle).count() == 5


def test_a_bundle_of_another_build_is_no_source_of_a_diff(build: Build, release_manager: User) -> None:
    release(BuildFactory(project=build.project), release_manager, small_archive("run(1)"))
    release(build, release_manager, small_archive("run(2)"))

    assert not BundleDiff.objects.exists()


def test_the_content_that_is_live_already_is_refused(build: Build, release_manager: User) -> None:
    release(build, release_manager, sample("android-v1"))

    again = release(build, release_manager, sample("android-v1"))

    assert (again.status, again.label, live_label(build)) == ("failed", "", "v1")
    assert "identical to v1" in again.failure_reason


def test_the_content_that_is_live_is_published_again_when_asked_for(build: Build, release_manager: User) -> None:
    first = release(build, release_manager, sample("android-v1"))

    again = release(build, release_manager, sample("android-v1"), allows_identical=True)

    assert (again.label, again.bundle) == ("v2", first.bundle)


def test_the_content_of_an_update_that_is_not_live_is_published_again(build: Build, release_manager: User) -> None:
    first = release(build, release_manager, small_archive("run(1)"))
    release(build, release_manager, small_archive("run(2)"))

    again = release(build, release_manager, small_archive("run(1)"))

    assert (again.label, again.bundle) == ("v3", first.bundle)


def test_one_bundle_is_kept_per_content_across_builds(build: Build, release_manager: User) -> None:
    other = BuildFactory(project=build.project, build_target="staging")
    first = release(build, release_manager, sample("android-v1"))
    second = release(other, release_manager, sample("android-v1"))

    assert (first.bundle, first.label, second.label) == (second.bundle, "v1", "v1")
    assert Bundle.objects.count() == len(stored_files()) == 1


def test_bytecode_for_another_hermes_is_refused(project: object, release_manager: User) -> None:
    build = BuildFactory(project=project, hermes_bytecode_version=94)

    codepush = release(build, release_manager, sample("android-v1"))

    assert codepush.status == "failed"
    assert [word for word in ("bytecode 96", "bytecode 94", "Rebuild") if word not in codepush.failure_reason] == []


def test_bytecode_for_the_hermes_of_the_build_is_taken(project: object, release_manager: User) -> None:
    build = BuildFactory(project=project, hermes_bytecode_version=96)

    assert release(build, release_manager, sample("android-v1")).status == "success"


def test_damage_that_shows_only_when_read_fails_and_keeps_the_upload(build: Build, release_manager: User) -> None:
    upload = sample("android-v1")
    content = bytearray(upload.read())
    content[400_000] ^= 0xFF
    upload.file.seek(0)  # type: ignore[union-attr]
    upload.file.write(content)  # type: ignore[union-attr]

    codepush = create_codepush(build.pk, actor=release_manager, upload=upload)
    with audited("codepush.failed"):
        process_codepush(codepush.pk)

    codepush.refresh_from_db()
    assert (codepush.status, codepush.label, codepush.bundle) == ("failed", "", None)
    assert "damaged" in codepush.failure_reason
    assert codepush.duration_ms is not None
    assert stored_files() == {codepush.upload_name}
    assert AuditEntry.objects.order_by("pk").last().after == {"failure_reason": codepush.failure_reason}  # type: ignore[union-attr]


def test_a_failure_leaves_devices_and_the_next_label_alone(build: Build, release_manager: User) -> None:
    release(build, release_manager, small_archive("run(1)"))
    release(build, release_manager, small_archive("run(1)"))

    assert live_label(build) == "v1"
    assert release(build, release_manager, small_archive("run(2)")).label == "v2"


def test_labels_go_by_the_order_of_success(build: Build, release_manager: User) -> None:
    slow = create_codepush(build.pk, actor=release_manager, upload=small_archive("slow()"))
    fast = release(build, release_manager, small_archive("fast()"))
    process_codepush(slow.pk)
    slow.refresh_from_db()

    assert (fast.label, slow.label, live_label(build)) == ("v1", "v2", "v2")


def test_the_steps_can_be_followed(build: Build, release_manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str, int]] = []
    enter = Attempt.enter

    def watch(attempt: Attempt, step: CodePush.Step) -> None:
        enter(attempt, step)
        seen.append(CodePush.objects.values_list("status", "step", "progress_percent").get())

    monkeypatch.setattr(Attempt, "enter", watch)
    release(build, release_manager, small_archive())

    assert seen == [
        ("processing", "checking", 5),
        ("processing", "storing", 50),
        ("processing", "diffing", 60),
        ("processing", "publishing", 95),
    ]


def test_progress_moves_within_a_step(build: Build, release_manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())
    attempt = Attempt.claim(codepush.pk)
    assert attempt is not None
    attempt.enter(CodePush.Step.CHECKING)
    attempt._written_at -= 2
    attempt.advance(0.5)
    attempt.advance(0.9)

    # 5 % when checking begins, 50 % when it ends; written once a second at most.
    assert CodePush.objects.get().progress_percent == 27


def test_a_claim_that_was_taken_over_before_it_was_read_is_none(build: Build, release_manager: User) -> None:
    """As when the process stands still for longer than the lease between the two statements."""
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())
    other = uuid.uuid4()

    def overtake(execute: Callable[..., Any], sql: str, *details: Any) -> Any:
        result = execute(sql, *details)
        if sql.startswith("UPDATE") and not overtaken:
            overtaken.append(sql)
            CodePush.objects.filter(pk=codepush.pk).update(attempt_id=other)
        return result

    overtaken: list[str] = []
    with connection.execute_wrapper(overtake):
        assert Attempt.claim(codepush.pk) is None
    assert CodePush.objects.get().attempt_id == other
