"""An installation with a past, for pictures and for looking at pages: two weeks of updates, and phones that follow.

Every number on its pages was counted by the product from reports, as they would have come in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from builds.models import AuditEntry, Build, BuildTarget, Platform, Project, Role, StoreStatus
from deployments.models import BundleDiff, CodePush
from metrics.aggregation import apply_batch
from metrics.models import ReportLogEntry
from tests.factories import BuildFactory, BundleFactory, CodePushFactory, MembershipFactory, ProjectFactory, UserFactory

DEVICES = 1500
_FAILURE = (
    "main.jsbundle is Hermes bytecode 94, and build {build} runs bytecode 96. Build the bundle with its React Native."
)


@dataclass(frozen=True)
class Update:
    """One release of the main build: how long ago, and which share of the devices it was offered to."""

    days_ago: float
    description: str
    rollback_share: float = 0.001
    settings: tuple[tuple[str, Any], ...] = ()


_UPDATES = (
    Update(13.4, "Loyalty card on the home screen.", 0.02),
    Update(9.7, "Search suggestions."),
    Update(6.2, "New checkout address form.", 0.06, (("is_enabled", False), ("is_mandatory", True))),
    Update(5.8, "Faster product lists and smaller category images."),
    Update(
        2.1,
        "Fix basket total when a campaign code is removed. Adds the winter storefront banner.",
        0.03,
        (("is_mandatory", True), ("rollout_percent", 75)),
    ),
)


@dataclass(frozen=True)
class Storybook:
    project: Project
    build: Build
    releases: list[CodePush]
    release_manager: User
    viewer: User


def write_storybook() -> Storybook:
    """Three projects; the main build has five updates, one that failed, one that is processed, and 1,500 devices."""
    project = ProjectFactory(
        name="Northwind Outdoor",
        slug="northwind-outdoor",
        ios_bundle_id="com.northwind.outdoor",
        repository_url="git@git.northwind.example:apps/outdoor.git",
    )
    people = [_member(project, *who) for who in (("Elif", "Kaya"), ("Mert", "Aydın"), ("Olga", "Berg", Role.ADMIN))]
    viewer = _member(project, "Vera", "Lindt", Role.VIEWER)
    now = timezone.now()
    # First: lists that are in the order of creation agree with the times then.
    _add_other_projects(people[0], now)
    replaced = _build(project, "4.1.2", now - timedelta(days=40), people[0], store_status=StoreStatus.APPROVED)
    build = _build(project, "4.2.0", now - timedelta(days=14), people[0], store_status=StoreStatus.LIVE)
    releases = [_release(build, update, people[number % 2], now) for number, update in enumerate(_UPDATES)]
    _add_diffs(releases)
    _add_unfinished(build, people, now)
    _add_other_builds(project, people, now)
    reports = [*_reports(build, releases, now), *_starts(replaced, 390, now - timedelta(days=12))]
    ReportLogEntry.objects.bulk_create(sorted(reports, key=lambda entry: entry.received_at), batch_size=5000)
    # A few hours at a time: what a device ran between two looks at the log is in no history.
    while apply_batch(300):
        pass
    return Storybook(project, build, releases, people[0], viewer)


def _member(project: Project, first_name: str, last_name: str, role: Role = Role.RELEASE_MANAGER) -> User:
    user: User = UserFactory(username=first_name.lower(), first_name=first_name, last_name=last_name)
    MembershipFactory(project=project, user=user, role=role)
    return user


def _build(project: Project, version: str, at: datetime, by: User, **more: Any) -> Build:
    fields = {"platform": Platform.IOS, "branch": f"release/{version[:3]}", "commit": "8c41e7d", **more}
    store_live_at = at + timedelta(hours=1) if fields.get("store_status") else None
    build: Build = BuildFactory(
        project=project,
        store_version=version,
        triggered_by=by,
        hermes_bytecode_version=96,
        started_at=at,
        finished_at=at + timedelta(minutes=14, seconds=32),
        store_live_at=store_live_at,
        **fields,
    )
    Build.objects.filter(pk=build.pk).update(created_at=at)
    return build


def _release(build: Build, update: Update, by: User, now: datetime) -> CodePush:
    at = now - timedelta(days=update.days_ago)
    codepush: CodePush = CodePushFactory(
        build=build,
        bundle=BundleFactory(size_bytes=4_600_000, unpacked_bytes=11_800_000, js_bundle_path="CodePush/main.jsbundle"),
        description=update.description,
        created_by=by,
        started_at=at,
        finished_at=at + timedelta(seconds=72),
        duration_ms=72_000,
        **dict(update.settings),
    )
    CodePush.objects.filter(pk=codepush.pk).update(created_at=at)
    if not codepush.is_enabled:
        AuditEntry.objects.create(
            project=build.project,
            build=build,
            deployment_id=codepush.deployment_id,
            action="codepush.edited",
            actor=by,
            actor_name=by.get_full_name(),
            before={"is_enabled": True},
            after={"is_enabled": False},
            created_at=at + timedelta(hours=3, minutes=8),
        )
    return codepush


def _add_diffs(releases: list[CodePush]) -> None:
    for earlier, later in pairwise(releases):
        assert earlier.bundle
        assert later.bundle
        BundleDiff.objects.create(
            from_bundle=earlier.bundle, to_bundle=later.bundle, storage_name=f"{'d' * 64}.zip", size_bytes=820_000
        )


def _add_unfinished(build: Build, people: list[User], now: datetime) -> None:
    failed = CodePushFactory(
        build=build,
        status="failed",
        description="Fix basket total when a campaign code is removed.",
        failure_reason=_FAILURE.format(build=f"#{build.pk}"),
        fails_again=True,
        created_by=people[2],
        upload_size_bytes=4_600_000,
        duration_ms=19_000,
    )
    CodePush.objects.filter(pk=failed.pk).update(created_at=now - timedelta(days=2.2))
    CodePushFactory(
        build=build,
        status="processing",
        step="diffing",
        progress_percent=62,
        description="Guard the basket total against a missing campaign. Fixes the crash seen in v5.",
        created_by=people[1],
        upload_size_bytes=4_600_000,
        rollout_percent=10,
        started_at=now - timedelta(seconds=41),
        finished_at=None,
        duration_ms=None,
    )


def _add_other_builds(project: Project, people: list[User], now: datetime) -> None:
    android = _build(
        project, "4.2.0", now - timedelta(days=14), people[1], platform=Platform.ANDROID, store_status=StoreStatus.LIVE
    )
    CodePushFactory(build=android, description="Search suggestions.", created_by=people[1])
    ReportLogEntry.objects.bulk_create(_starts(android, 640, now - timedelta(days=3), label="v1"))
    staging = {"build_target": BuildTarget.STAGING, "platform": Platform.ANDROID}
    _build(project, "4.3.0", now - timedelta(hours=2), people[1], status="failed", **staging)
    _build(project, "4.3.0", now - timedelta(minutes=3), people[1], status="running", **staging)


def _add_other_projects(member: User, now: datetime) -> None:
    grocery = ProjectFactory(name="Kestrel Grocery", slug="kestrel-grocery", android_bundle_id="com.kestrel.grocery")
    MembershipFactory(project=grocery, user=member)
    build = _build(
        grocery, "2.18.0", now - timedelta(days=30), member, platform=Platform.ANDROID, store_status=StoreStatus.LIVE
    )
    _release(build, Update(9, "New delivery windows.", settings=(("rollout_percent", 25),)), member, now)
    MembershipFactory(project=ProjectFactory(name="Papercraft Kids", slug="papercraft-kids"), user=member)


def _starts(build: Build, count: int, at: datetime, *, label: str = "") -> Iterator[ReportLogEntry]:
    for number in range(count):
        yield _entry(build, "installed" if label else "binary_started", number, label, at + timedelta(minutes=number))


def _reports(build: Build, releases: list[CodePush], now: datetime) -> Iterator[ReportLogEntry]:
    """Each device starts the store's bundle one day, then follows most updates a while after they came out."""
    chance = Random(7)
    for number in range(DEVICES):
        first_start = now - timedelta(days=13.9) + timedelta(days=chance.expovariate(1 / 1.5))
        yield _entry(build, "binary_started", number, "", min(first_start, now))
        for update, release in zip(_UPDATES, releases, strict=True):
            at = max(first_start, now - timedelta(days=update.days_ago)) + timedelta(days=chance.expovariate(1.1))
            is_withdrawn = not release.is_enabled and at > now - timedelta(days=update.days_ago - 0.13)
            if at > now or is_withdrawn or chance.random() > release.rollout_percent / 100:
                continue
            yield _entry(build, "downloaded", number, release.label, at)
            event = "fallback" if chance.random() < update.rollback_share else "installed"
            yield _entry(build, event, number, release.label, min(at + timedelta(hours=chance.random() * 9), now))


def _entry(build: Build, event: str, number: int, label: str, at: datetime) -> ReportLogEntry:
    return ReportLogEntry(
        event=event,
        deployment_key=build.deployment_key,
        client_unique_id=f"phone-{build.pk}-{number}",
        label=label,
        app_version=build.store_version,
        plugin_name="react-native-code-push",
        plugin_version="9.0.1",
        sdk_version="4.2.3",
        received_at=at,
    )
