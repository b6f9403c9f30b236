"""How fresh the snapshots of a web process are, and what they cost. Each store stands for one process."""

from contextlib import AbstractContextManager
from typing import Protocol

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import Build
from deployments import snapshot_builder, snapshots
from deployments.models import CodePush
from deployments.policy.types import Snapshot
from deployments.selectors import CandidateRow, load_candidate_rows
from deployments.services.codepushes import edit_codepush
from deployments.snapshot_builder import build_snapshot
from deployments.snapshots import SnapshotStore
from tests.factories import BuildFactory, CodePushFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def there() -> SnapshotStore:
    """The store of another web process: it hears of changes only by asking."""
    return SnapshotStore()


def labels_in(store: SnapshotStore, key: str) -> list[str]:
    snapshot = store.get(key)
    assert snapshot is not None
    return [candidate.label for candidate in snapshot.candidates]


def test_a_snapshot_holds_what_may_be_offered_and_no_more_of_a_long_history(there: SnapshotStore, build: Build) -> None:
    for percent in (100, 50, 100, 20, 10):
        CodePushFactory(build=build, rollout_percent=percent)
    assert labels_in(there, build.deployment_key) == ["v5", "v4", "v3"]


class CaptureOnCommit(Protocol):
    def __call__(self, *, execute: bool) -> AbstractContextManager[object]: ...


def test_another_process_sees_a_change_at_its_next_round(there: SnapshotStore, codepush: CodePush, owner: User) -> None:
    key = codepush.build.deployment_key
    assert labels_in(there, key) == ["v1"]
    edit_codepush(codepush.pk, actor=owner, is_enabled=False)
    assert labels_in(there, key) == ["v1"]
    there.refresh_changed()
    assert labels_in(there, key) == []


def test_this_process_sees_a_change_at_once(
    codepush: CodePush, owner: User, django_capture_on_commit_callbacks: CaptureOnCommit
) -> None:
    key = codepush.build.deployment_key
    assert labels_in(snapshots.store, key) == ["v1"]
    with django_capture_on_commit_callbacks(execute=True):
        edit_codepush(codepush.pk, actor=owner, is_enabled=False)
    assert labels_in(snapshots.store, key) == []


def test_an_edit_that_changes_nothing_costs_no_process_anything(
    there: SnapshotStore, codepush: CodePush, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    there.get(codepush.build.deployment_key)
    edit_codepush(codepush.pk, actor=owner, is_enabled=True)
    # Which builds were stamped lately.
    with django_assert_num_queries(1):
        there.refresh_changed()


def test_a_round_reads_the_changed_builds_only(
    there: SnapshotStore, codepush: CodePush, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for key in (codepush.build.deployment_key, *(CodePushFactory().build.deployment_key for _ in range(3))):
        there.get(key)
    edit_codepush(codepush.pk, actor=owner, is_mandatory=True)
    # Which builds were stamped lately; the changed build with its successes; the updates on offer.
    with django_assert_num_queries(3):
        there.refresh_changed()
    with django_assert_num_queries(1):
        there.refresh_changed()


def test_a_round_reads_no_build_that_nobody_asked_for(
    there: SnapshotStore, codepush: CodePush, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    edit_codepush(codepush.pk, actor=owner, is_mandatory=True)
    with django_assert_num_queries(1):
        there.refresh_changed()


def test_a_change_that_no_stamp_tells_of_is_seen_after_a_while(
    there: SnapshotStore, codepush: CodePush, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = codepush.build.deployment_key
    there.get(key)
    CodePush.objects.filter(pk=codepush.pk).update(is_enabled=False)
    there.refresh_changed()
    assert labels_in(there, key) == ["v1"]
    monkeypatch.setattr(snapshots, "MAX_AGE_SECONDS", -1.0)
    there.refresh_changed()
    assert labels_in(there, key) == []


def test_an_unknown_key_is_looked_up_once_and_known_once_it_is_registered(
    there: SnapshotStore, project: object, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = "baked-into-the-binary"
    assert there.get(key) is None
    BuildFactory(project=project, deployment_key=key)
    with django_assert_num_queries(0):
        assert there.get(key) is None
    there.refresh_changed()
    assert there.get(key) is not None


def test_an_unknown_key_is_looked_up_again_after_a_moment(
    there: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "UNKNOWN_KEY_SECONDS", 0.0)
    assert there.get("a-well-formed-key") is None
    BuildFactory(deployment_key="a-well-formed-key")
    assert there.get("a-well-formed-key") is not None


def test_the_least_recently_used_snapshot_is_dropped(
    there: SnapshotStore, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(snapshots, "MAX_SNAPSHOTS", 2)
    first, second, third = (build.deployment_key for build in BuildFactory.create_batch(3))
    for key in (first, second, first, third):
        there.get(key)
    with django_assert_num_queries(0):
        there.get(first)
        there.get(third)
    with django_assert_num_queries(1):
        there.get(second)


def test_made_up_keys_fill_no_memory(
    there: SnapshotStore, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(snapshots, "MAX_UNKNOWN_KEYS", 2)
    for key in ("made-up-key-1", "made-up-key-2", "made-up-key-3"):
        there.get(key)
    with django_assert_num_queries(0):
        there.get("made-up-key-3")
    with django_assert_num_queries(1):
        there.get("made-up-key-1")


def test_snapshots_that_became_old_together_hold_up_no_change(
    there: SnapshotStore, codepush: CodePush, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "AGED_PER_ROUND", 2)
    keys = [build.deployment_key for build in BuildFactory.create_batch(5)]
    for key in [*keys, codepush.build.deployment_key]:
        there.get(key)
    monkeypatch.setattr(snapshots, "MAX_AGE_SECONDS", -1.0)
    read: list[str] = []

    def read_and_build(key: str) -> Snapshot | None:
        read.append(key)
        return build_snapshot(key)

    monkeypatch.setattr(snapshots, "build_snapshot", read_and_build)
    edit_codepush(codepush.pk, actor=owner, is_mandatory=True)
    there.refresh_changed()
    assert read == [codepush.build.deployment_key, *keys[:2]]
    there.refresh_changed()
    assert read[3:] == keys[2:4]


def test_a_change_while_a_snapshot_is_read_is_in_it_as_a_whole(
    there: SnapshotStore, build: Build, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two queries the second sees what was committed after the first."""
    _, newest = CodePushFactory(build=build), CodePushFactory(build=build)
    waiting = ["Taken back"]

    def change_and_load(ids: list[int]) -> list[CandidateRow]:
        while waiting:
            edit_codepush(newest.pk, actor=owner, description=waiting.pop(), is_enabled=False)
        return load_candidate_rows(ids)

    monkeypatch.setattr(snapshot_builder, "load_candidate_rows", change_and_load)
    assert labels_in(there, build.deployment_key) == ["v1"]
