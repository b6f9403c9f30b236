"""A web process that starts while the database is away answers from what was kept on its host."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from pytest_django.fixtures import Settings

from builds.models import Build
from deployments import snapshot_shelf, snapshots
from deployments.models import BundleDiff, CodePush
from deployments.policy.types import Snapshot
from deployments.services.codepushes import edit_codepush
from deployments.snapshots import SnapshotStore, SnapshotUnavailable
from tests.deployments.answers import bundle_of
from tests.factories import BuildFactory, BundleFactory, CodePushFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_shelf(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.VAR_DIR = tmp_path
    settings.KEEP_SNAPSHOTS = True
    snapshot_shelf._waiting.clear()
    yield
    snapshot_shelf._waiting.clear()


@pytest.fixture
def is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "build_snapshot", _fail)


def _fail(key: str) -> Snapshot:
    raise OperationalError("The database is away.")


def _restart_without_database(key: str, monkeypatch: pytest.MonkeyPatch) -> Snapshot | None:
    with monkeypatch.context() as away:
        away.setattr(snapshots, "build_snapshot", _fail)
        return SnapshotStore().get(key)


def test_what_was_held_is_answered_after_a_restart(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    CodePushFactory(build=build, is_enabled=False)
    newest = CodePushFactory(build=build, description="Fixes “Basket”", rollout_percent=20, is_mandatory=True)
    BundleDiff.objects.create(
        from_bundle=BundleFactory(), to_bundle=bundle_of(newest), storage_name=f"{'d' * 64}.zip", size_bytes=123
    )
    held = SnapshotStore().get(build.deployment_key)
    snapshot_shelf.write()
    assert _restart_without_database(build.deployment_key, monkeypatch) == held


def test_what_was_never_held_is_unavailable(build: Build, is_away: None) -> None:
    with pytest.raises(SnapshotUnavailable):
        SnapshotStore().get(build.deployment_key)


def test_the_newest_is_kept(codepush: CodePush, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    key, store = codepush.build.deployment_key, SnapshotStore()
    store.get(key)
    snapshot_shelf.write()
    edit_codepush(codepush.pk, actor=owner, is_enabled=False)
    store.refresh_changed()
    snapshot_shelf.write()
    assert _restart_without_database(key, monkeypatch).candidates == ()  # type: ignore[union-attr]


def test_once_the_database_is_back_it_is_believed(
    codepush: CodePush, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, restarted = codepush.build.deployment_key, SnapshotStore()
    SnapshotStore().get(key)
    snapshot_shelf.write()
    edit_codepush(codepush.pk, actor=owner, is_enabled=False)
    Build.objects.update(changed_at="2020-01-01T00:00:00Z")
    with monkeypatch.context() as away:
        away.setattr(snapshots, "build_snapshot", _fail)
        assert restarted.get(key).candidates  # type: ignore[union-attr]
    restarted.refresh_changed()
    assert not restarted.get(key).candidates  # type: ignore[union-attr]


def test_what_another_version_of_the_code_wrote_is_not_read(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    SnapshotStore().get(build.deployment_key)
    snapshot_shelf.write()
    monkeypatch.setattr(snapshot_shelf, "FORMAT", snapshot_shelf.FORMAT + 1)
    with pytest.raises(SnapshotUnavailable):
        _restart_without_database(build.deployment_key, monkeypatch)


def test_what_nobody_held_any_more_is_not_offered_again(codepush: CodePush, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked for an hour before the others, and may have been disabled since."""
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    SnapshotStore().get(codepush.build.deployment_key)
    snapshot_shelf.write()
    monkeypatch.setattr(time, "time", lambda: 1_003_600.0)
    other = BuildFactory()
    SnapshotStore().get(other.deployment_key)
    snapshot_shelf.write()
    assert _restart_without_database(other.deployment_key, monkeypatch) is not None
    with pytest.raises(SnapshotUnavailable):
        _restart_without_database(codepush.build.deployment_key, monkeypatch)


def test_the_file_holds_the_latest_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_shelf, "MAX_KEPT", 2)
    keys = [build.deployment_key for build in BuildFactory.create_batch(3)]
    for key in keys:
        SnapshotStore().get(key)
        snapshot_shelf.write()
    assert [snapshot_shelf.find(key) is not None for key in keys] == [False, True, True]


def test_a_file_that_cannot_be_used_stops_nothing(build: Build, settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "missing"
    assert SnapshotStore().get(build.deployment_key) is not None
    snapshot_shelf.write()
    assert snapshot_shelf.find(build.deployment_key) is None


def test_a_damaged_file_is_as_none(build: Build, tmp_path: Path) -> None:
    (tmp_path / "snapshots.sqlite3").write_bytes(b"no database" * 1000)
    SnapshotStore().get(build.deployment_key)
    snapshot_shelf.write()
    assert snapshot_shelf.find(build.deployment_key) is None


def test_without_the_setting_nothing_is_written(build: Build, settings: Settings, tmp_path: Path) -> None:
    settings.KEEP_SNAPSHOTS = False
    SnapshotStore().get(build.deployment_key)
    snapshot_shelf.write()
    assert list(tmp_path.glob("snapshots*")) == []
