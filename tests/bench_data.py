"""The builds that `tests.bench` asks about. Prints what the requests need, as JSON."""

import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.files import File  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Model  # noqa: E402

from builds.models import Build, Project  # noqa: E402
from builds.services import create_project, register_build  # noqa: E402
from deployments.models import Bundle, BundleDiff, CodePush  # noqa: E402
from deployments.services import processing  # noqa: E402
from deployments.services.codepushes import create_codepush, edit_codepush  # noqa: E402

SAMPLES = Path(__file__).parent / "samples"
HOT_BUILDS, HOT_RELEASES = 10_000, 20
LONG_HISTORY = 10_000
DIFFED = 5

M = TypeVar("M", bound=Model)


def main(prefix: str) -> None:
    """Keys begin with the prefix: a database that DATABASE_URL names keeps those of earlier runs."""
    call_command("migrate", verbosity=0)
    user = User.objects.create_user(prefix)
    project = create_project(actor=user, name=prefix)
    known = {
        "samples": _release_samples(_register(project, user, f"{prefix}-samples"), user),
        "rollout": _make_rollout(project, user, f"{prefix}-rollout"),
        "short": _make_history(project, user, f"{prefix}-short", 5),
        "long": _make_history(project, user, f"{prefix}-long", LONG_HISTORY),
        "hot": _make_hot(project, prefix),
    }
    with connection.cursor() as cursor:
        # As a database that has run for a while: without, a plan for rows that came all at once is a guess.
        cursor.execute("ANALYZE")
    print(json.dumps(known))


def _register(project: Project, user: User, key: str) -> Build:
    values: dict[str, Any] = {"platform": "android", "build_target": "production", "store_version": "3.0.0"}
    return register_build(project, actor=user, deployment_key=key, status="success", **values)


def _release_samples(build: Build, user: User) -> dict[str, str]:
    """Two real updates, through the services."""
    for version in (1, 2):
        with (SAMPLES / f"android-v{version}.zip").open("rb") as file:
            processing.process_codepush(create_codepush(build.pk, actor=user, upload=File(file)).pk)
    return _describe(build)


def _make_rollout(project: Project, user: User, key: str) -> dict[str, str]:
    """Half of the devices are offered the newest, the others the one before it."""
    build = _register(project, user, key)
    _release([build], 5)
    edit_codepush(CodePush.objects.get(build=build, label_number=5).pk, actor=user, rollout_percent=50)
    return _describe(build)


def _make_history(project: Project, user: User, key: str, releases: int) -> dict[str, str]:
    build = _register(project, user, key)
    _release([build], releases)
    return _describe(build)


def _make_hot(project: Project, prefix: str) -> list[dict[str, str]]:
    values: dict[str, Any] = {"platform": "ios", "build_target": "production", "store_version": "3.0.0"}
    keys = (f"{prefix}-hot-{number}" for number in range(HOT_BUILDS))
    _create(Build, (Build(project=project, status="success", deployment_key=key, **values) for key in keys))
    builds = list(Build.objects.filter(deployment_key__startswith=f"{prefix}-hot-").order_by("pk"))
    _release(builds, HOT_RELEASES)
    return [
        {"key": build.deployment_key, "newest": _hash(build, HOT_RELEASES), "before": _hash(build, HOT_RELEASES - 1)}
        for build in builds
    ]


def _release(builds: list[Build], count: int) -> None:
    """Rows without archives: nothing is downloaded. Each release has a bundle of its own, the last one diffs to it."""
    labels = [(build, label) for build in builds for label in range(1, count + 1)]
    _create(Bundle, (_make_bundle(build, label) for build, label in labels))
    places = {_hash(build, label): (build, label) for build, label in labels}
    found = Bundle.objects.values_list("package_hash", "pk")
    ids = {places[digest]: pk for digest, pk in found if digest in places}
    codepushes = (
        CodePush(build=build, status="success", label_number=label, bundle_id=ids[build, label], description="Bench")
        for build, label in labels
    )
    _create(CodePush, codepushes)
    diffs = (
        BundleDiff(
            from_bundle_id=ids[build, label],
            to_bundle_id=ids[build, count],
            storage_name=f"{sha256(f'{build.pk} {label} diff'.encode()).hexdigest()}.zip",
            size_bytes=1000,
        )
        for build in builds
        for label in range(max(1, count - DIFFED), count)
    )
    _create(BundleDiff, diffs)


def _make_bundle(build: Build, label: int) -> Bundle:
    digest = _hash(build, label)
    return Bundle(
        content_hash=digest,
        package_hash=digest,
        archive_sha256=digest,
        storage_name=f"{digest}.zip",
        size_bytes=889_082,
        manifest={"bench": build.deployment_key},
        unpacked_bytes=2_000_000,
        js_bundle_path="CodePush/index.android.bundle",
    )


def _hash(build: Build, label: int) -> str:
    return sha256(f"{build.deployment_key} {label}".encode()).hexdigest()


def _describe(build: Build) -> dict[str, str]:
    """The key, and what devices run that have the newest update, or the one before it."""
    newest, before = CodePush.objects.filter(build=build).by_label_descending().select_related("bundle")[:2]
    assert newest.bundle is not None
    assert before.bundle is not None
    return {
        "key": build.deployment_key,
        "newest": newest.bundle.package_hash,
        "before": before.bundle.package_hash,
        "before_label": before.label,
    }


def _create(model: type[M], rows: Iterator[M]) -> None:
    while batch := list(islice(rows, 5000)):
        model._default_manager.bulk_create(batch)


if __name__ == "__main__":
    main(sys.argv[1])
