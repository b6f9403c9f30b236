"""The demo project: real sample bundles, released through the real services, so that it shows nothing invented."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File

from builds.membership import add_member
from builds.models import Build, BuildTarget, Platform, Project, Role, StoreStatus
from builds.services import create_project, register_build
from deployments.models import CodePush
from deployments.services.build_status import set_store_status
from deployments.services.codepushes import create_codepush
from deployments.services.processing import process_codepush
from deployments.services.republishing import roll_back

USERNAME = "demo"
# Well known on purpose: the demo is for the machine that it runs on.
PASSWORD = "demo-password-1"  # noqa: S105
PROJECT_SLUG = "northwind-outdoor"

_SAMPLES = settings.BASE_DIR / "tests" / "samples"
_PROCESSING_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class _Release:
    sample: str
    description: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _DemoBuild:
    """A build and what was released to it. `store_status` is set in the order of `_BUILDS`."""

    deployment_key: str
    platform: Platform
    store_version: str
    build_number: str
    branch: str
    build_target: BuildTarget = BuildTarget.PRODUCTION
    status: str = Build.Status.SUCCESS
    store_status: StoreStatus = StoreStatus.NONE
    hermes_bytecode_version: int | None = None
    releases: tuple[_Release, ...] = ()
    is_rolled_back: bool = False


# In order: the later of two builds for one platform replaces the earlier one in the store.
_BUILDS = (
    _DemoBuild(
        "demo-northwind-android-412",
        Platform.ANDROID,
        "4.1.2",
        "412",
        "release/4.1",
        store_status=StoreStatus.LIVE,
        hermes_bytecode_version=96,
        releases=(_Release("android-v1.zip", "Fixes the crash when a trail map is opened offline"),),
    ),
    _DemoBuild(
        "demo-northwind-ios-412",
        Platform.IOS,
        "4.1.2",
        "412",
        "release/4.1",
        store_status=StoreStatus.LIVE,
        releases=(_Release("ios-v1.zip", "Fixes the crash when a trail map is opened offline"),),
    ),
    _DemoBuild(
        "demo-northwind-android-420",
        Platform.ANDROID,
        "4.2.0",
        "420",
        "release/4.2",
        store_status=StoreStatus.LIVE,
        hermes_bytecode_version=96,
        releases=(
            _Release("android-v1.zip", "Winter collection on the home screen"),
            _Release("android-v2.zip", "Shorter checkout: two steps instead of four", {"is_mandatory": True}),
        ),
        is_rolled_back=True,
    ),
    _DemoBuild(
        "demo-northwind-ios-420",
        Platform.IOS,
        "4.2.0",
        "420",
        "release/4.2",
        store_status=StoreStatus.LIVE,
        releases=(
            _Release("ios-v1.zip", "Winter collection on the home screen"),
            _Release("ios-v2.zip", "Shorter checkout: two steps instead of four", {"rollout_percent": 25}),
        ),
    ),
    _DemoBuild(
        "demo-northwind-ios-430",
        Platform.IOS,
        "4.3.0",
        "430",
        "release/4.3",
        status=Build.Status.FAILED,
    ),
    _DemoBuild(
        "demo-northwind-android-430-staging",
        Platform.ANDROID,
        "4.3.0",
        "431",
        "main",
        build_target=BuildTarget.STAGING,
        # Another React Native version: the sample does not fit, and processing says so.
        hermes_bytecode_version=94,
        releases=(_Release("android-v2.zip", "Shorter checkout, on the new React Native"),),
    ),
)

# (deployment key, store version) of the builds that people have on their phones.
FLEET_BUILDS = tuple(
    (build.deployment_key, build.store_version) for build in _BUILDS if build.store_status == StoreStatus.LIVE
)


def ensure_demo() -> None:
    """The demo project stands, with its people, builds and CodePushes. What exists already is left as it is.

    Needs no worker: bundles are processed here. Takes a few seconds the first time.
    """
    people = _ensure_people()
    owner = people[Role.ADMIN]
    project = Project.objects.filter(slug=PROJECT_SLUG).first() or create_project(
        actor=owner,
        name="Northwind Outdoor",
        slug=PROJECT_SLUG,
        description="Trail maps, gear and trips. A demo project: its devices are simulated.",
        ios_bundle_id="com.northwind.outdoor",
        android_bundle_id="com.northwind.outdoor",
    )
    members = set(project.memberships.values_list("user_id", flat=True))
    for role, person in people.items():
        if person.is_active and person.pk not in members:
            add_member(project.pk, actor=owner, who=person.username, role=role)
    for build in _BUILDS:
        if not Build.objects.filter(deployment_key=build.deployment_key).exists():
            _make_build(project, build, actor=people[Role.RELEASE_MANAGER])


def _ensure_people() -> dict[Role, User]:
    """{role: who has it in the demo project}. All sign in with the demo password; only `demo` may use the admin."""
    return {
        Role.ADMIN: _ensure_user(USERNAME, "Dana", "Demir", is_superuser=True, is_staff=True),
        Role.RELEASE_MANAGER: _ensure_user("marco", "Marco", "Reyes"),
        Role.VIEWER: _ensure_user("vera", "Vera", "Lindqvist"),
    }


def _ensure_user(username: str, first_name: str, last_name: str, **flags: bool) -> User:
    user = User.objects.filter(username=username).first()
    if user is not None:
        # Perhaps somebody's own account: neither its password nor its rights are ours to set.
        return user
    return User.objects.create_user(
        username,
        password=PASSWORD,
        first_name=first_name,
        last_name=last_name,
        email=f"{username}@example.com",
        **flags,
    )


def _make_build(project: Project, demo: _DemoBuild, *, actor: User) -> None:
    build = register_build(
        project,
        actor=actor,
        platform=demo.platform,
        build_target=demo.build_target,
        store_version=demo.store_version,
        status=demo.status,
        build_number=demo.build_number,
        branch=demo.branch,
        hermes_bytecode_version=demo.hermes_bytecode_version,
        deployment_key=demo.deployment_key,
    )
    if demo.store_status != StoreStatus.NONE:
        set_store_status(build.pk, actor=actor, store_status=demo.store_status)
    for release in demo.releases:
        newest = publish_sample(
            build, _SAMPLES / release.sample, actor=actor, description=release.description, **release.settings
        )
    if demo.is_rolled_back:
        roll_back(newest.pk, to_label="v1", actor=actor, reason="Payment by card fails in the new checkout")


def publish_sample(build: Build, sample: Path, *, actor: User, **release_settings: Any) -> CodePush:
    """A finished CodePush (a success, or failed with a reason) of the sample archive, processed in this process."""
    with sample.open("rb") as file:
        codepush = create_codepush(build.pk, actor=actor, upload=File(file, name=sample.name), **release_settings)
    process_codepush(codepush.pk)
    # A running worker may have been faster; then it is the one to finish.
    deadline = time.monotonic() + _PROCESSING_TIMEOUT_SECONDS
    codepush.refresh_from_db()
    while codepush.is_unfinished and time.monotonic() < deadline:
        time.sleep(0.1)
        codepush.refresh_from_db()
    return codepush
