"""What threads may do to each other's snapshots, and what the database may do to all of them."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from builds.models import Build
from deployments import snapshots
from deployments.models import CodePush
from deployments.policy.types import Snapshot
from deployments.policy.version_range import find_version
from deployments.services.codepushes import edit_codepush
from deployments.snapshots import SnapshotStore, SnapshotUnavailable
from tests.factories import BuildFactory

pytestmark = pytest.mark.django_db

KEY = "a-well-formed-key"
VERSION = find_version("3.0.0")


@pytest.fixture
def there() -> SnapshotStore:
    return SnapshotStore()


def snapshot_of(revision: int, key: str = KEY) -> Snapshot:
    assert VERSION is not None
    return Snapshot(key, revision, "3.0.0", VERSION)


class SlowDatabase:
    """Look-ups wait until they may answer. `asked` are the keys, in order."""

    def __init__(self, find: Callable[[str], Snapshot | None] = lambda key: snapshot_of(1, key)) -> None:
        self.asked: list[str] = []
        self.may_answer = threading.Event()
        self._find = find

    def look_up(self, key: str) -> Snapshot | None:
        found = self._find(key)
        self.asked.append(key)
        assert self.may_answer.wait(timeout=10)
        return found


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowDatabase:
    database = SlowDatabase()
    monkeypatch.setattr(snapshots, "build_snapshot", database.look_up)
    return database


def test_an_older_answer_that_comes_late_replaces_no_newer_one(
    there: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer = snapshot_of(1), snapshot_of(2)
    database = SlowDatabase(lambda key: older)
    monkeypatch.setattr(snapshots, "build_snapshot", database.look_up)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(there.get, KEY)
        while not database.asked:
            pass
        monkeypatch.setattr(snapshots, "build_snapshot", lambda key: newer)
        there._reload(KEY)
        database.may_answer.set()
        assert late.result(timeout=10) is newer
    assert there.find_warm(KEY) is newer


@pytest.mark.parametrize("found", [snapshot_of(1), None], ids=["known", "unknown"])
def test_many_phones_that_ask_for_one_cold_key_cost_one_look_up(
    there: SnapshotStore, monkeypatch: pytest.MonkeyPatch, found: Snapshot | None
) -> None:
    phones = 8
    look_ups: list[str] = []
    all_ask = threading.Barrier(phones)

    def look_up(key: str) -> Snapshot | None:
        look_ups.append(key)
        # Long enough that the others are waiting by now.
        threading.Event().wait(0.05)
        return found

    def ask(_: int) -> Snapshot | None:
        all_ask.wait(timeout=10)
        return there.get(KEY)

    monkeypatch.setattr(snapshots, "build_snapshot", look_up)
    with ThreadPoolExecutor(phones) as pool:
        assert list(pool.map(ask, range(phones))) == [found] * phones
    assert look_ups == [KEY]


def test_a_slow_look_up_of_one_key_holds_up_no_other(there: SnapshotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowDatabase()
    monkeypatch.setattr(
        snapshots, "build_snapshot", lambda key: slow.look_up(key) if key == "a-slow-one" else snapshot_of(1)
    )
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(there.get, "a-slow-one")
        assert there.get(KEY) == snapshot_of(1)
        assert not waiting.done()
        slow.may_answer.set()
        assert waiting.result(timeout=10) == snapshot_of(1, "a-slow-one")


def test_a_slow_database_holds_no_more_threads_than_are_meant_for_it(
    there: SnapshotStore, slow: SlowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are told to come back, and so are there for devices whose build is held."""
    monkeypatch.setattr(there, "_cold_lookups", threading.BoundedSemaphore(2))
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(there.get, key) for key in ("a-slow-one", "another-slow-one")]
        while len(slow.asked) < 2:
            pass
        with pytest.raises(SnapshotUnavailable):
            there.get("one-too-many")
        slow.may_answer.set()
        assert [future.result(timeout=10).deployment_key for future in waiting] == ["a-slow-one", "another-slow-one"]  # type: ignore[union-attr]
    assert there.get("one-too-many") is not None


def test_while_a_changed_build_is_read_anew_its_devices_are_answered_as_before(
    there: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = snapshot_of(1)
    monkeypatch.setattr(snapshots, "build_snapshot", lambda key: held)
    there.get(KEY)
    slow = SlowDatabase(lambda key: snapshot_of(2))
    monkeypatch.setattr(snapshots, "build_snapshot", slow.look_up)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(there.reread, [KEY])
        while not slow.asked:
            pass
        assert there.get(KEY) is held
        slow.may_answer.set()
        reading.result(timeout=10)
    assert there.get(KEY) == snapshot_of(2)


def _fail(*_: object) -> Snapshot:
    raise OperationalError("The database is away.")


def test_while_the_database_is_away_what_is_held_stays_in_service(
    there: SnapshotStore, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = there.get(build.deployment_key)
    monkeypatch.setattr(snapshots, "build_snapshot", _fail)
    there.reread([build.deployment_key])
    assert there.get(build.deployment_key) is held
    with pytest.raises(SnapshotUnavailable):
        there.get("never-asked-for")


def test_a_cold_key_that_could_not_be_looked_up_is_tried_again(
    there: SnapshotStore, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(snapshots, "build_snapshot", _fail)
        with pytest.raises(SnapshotUnavailable):
            there.get(build.deployment_key)
    assert there.get(build.deployment_key) is not None


def _be_away_for_a_round(store: SnapshotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as away:
        away.setattr(store, "_refresh", _fail)
        with pytest.raises(OperationalError):
            store.refresh_changed()


def test_a_change_whose_stamp_left_the_window_during_an_outage_is_seen_after_it(
    there: SnapshotStore, codepush: CodePush, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.get(codepush.build.deployment_key)
    edit_codepush(codepush.pk, actor=owner, is_enabled=False)
    Build.objects.update(changed_at="2020-01-01T00:00:00Z")
    there.refresh_changed()
    assert there.get(codepush.build.deployment_key).candidates  # type: ignore[union-attr]
    _be_away_for_a_round(there, monkeypatch)
    there.refresh_changed()
    assert not there.get(codepush.build.deployment_key).candidates  # type: ignore[union-attr]


def test_a_database_that_comes_back_as_an_older_copy_of_itself_is_believed(
    there: SnapshotStore, codepush: CodePush, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored = list(Build.objects.values_list("pk", "revision", "changed_at"))
    gone = BuildFactory(project=codepush.build.project)
    edit_codepush(codepush.pk, actor=owner, is_enabled=False)
    for build in (codepush.build, gone):
        there.get(build.deployment_key)
    for pk, revision, changed_at in restored:
        Build.objects.filter(pk=pk).update(revision=revision, changed_at=changed_at)
    CodePush.objects.update(is_enabled=True)
    gone.delete()
    _be_away_for_a_round(there, monkeypatch)
    there.refresh_changed()
    assert there.get(codepush.build.deployment_key).candidates  # type: ignore[union-attr]
    assert there.get(gone.deployment_key) is None


def test_the_age_of_answers_grows_until_the_database_is_back(
    there: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(snapshots, "monotonic", lambda: now)
    there.refresh_changed()
    now += 73
    _be_away_for_a_round(there, monkeypatch)
    assert there.seconds_since_refresh() == pytest.approx(73)
    there.refresh_changed()
    assert there.seconds_since_refresh() == 0
