"""When each success of a build was Live, and what a device downloads to get from one to the next."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from builds.models import AuditEntry, Build
from deployments.models import BundleDiff
from deployments.release_history import load_release_history, measure_patches
from deployments.services.codepushes import edit_codepush
from tests.deployments.stories import history
from tests.factories import CodePushFactory


def test_disabling_and_enabling_are_in_the_history(build: Build, release_manager: User) -> None:
    first, second = history(build, 2)
    edit_codepush(second.pk, actor=release_manager, is_enabled=False)
    back = load_release_history(build)
    assert [(span.label_number, span.until is None) for span in back.spans] == [(1, False), (2, False), (1, True)]
    assert back.live_since == AuditEntry.objects.get().created_at
    edit_codepush(second.pk, actor=release_manager, is_enabled=True, description="Other words")
    assert load_release_history(build).spans[-1].label_number == 2
    edit_codepush(first.pk, actor=release_manager, description="No switch")
    assert load_release_history(build).spans[-1].label_number == 2


def test_how_long_each_was_live(build: Build) -> None:
    now = timezone.now()
    for days_ago in (5, 2):
        CodePushFactory(build=build, finished_at=now - timedelta(days=days_ago))
    assert load_release_history(build).measure_live(now) == {1: timedelta(days=3), 2: timedelta(days=2)}


def test_the_patch_comes_from_the_previous_different_bundle(build: Build) -> None:
    first = CodePushFactory(build=build)
    copy = CodePushFactory(build=build, bundle=first.bundle, origin="promote", source=first)
    third = CodePushFactory(build=build)
    for number, size_bytes in ((first, 800), (third, 900)):
        other = third if number is first else first
        BundleDiff.objects.create(
            from_bundle=number.bundle, to_bundle=other.bundle, storage_name=f"{'d' * 64}.zip", size_bytes=size_bytes
        )
    back = CodePushFactory(build=build, bundle=first.bundle, origin="rollback", source=first)
    patches = measure_patches(load_release_history(build), [first, copy, third, back])
    assert patches == {third.pk: ("v2", 800), back.pk: ("v3", 900)}
