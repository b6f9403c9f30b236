"""What pages cost the server: a build with 1,000 updates and 1,000,000 devices, in a project with 100 builds.

Rows are made once in the database of DATABASE_URL, which is a scratch database. Times are of the whole request inside
the process: middleware, session, queries, template, compression. BENCH_PROFILE=1 prints where Build Detail spends it.
"""

import cProfile
import os
import pstats
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from builds.models import Build  # noqa: E402
from builds.services import create_project, register_build  # noqa: E402
from deployments.models import Bundle  # noqa: E402
from metrics.models import BuildTotals, ReleaseCounter  # noqa: E402
from tests.factories import BuildFactory, BundleFactory, CodePushFactory, UserFactory  # noqa: E402

KEY = "bench-pages"
UPDATES = 1_000
DEVICES = 1_000_000
OTHER_BUILDS = 99
ROUNDS = 30


def main() -> None:
    if connection.vendor != "postgresql":
        print("pages: skipped, DATABASE_URL names no PostgreSQL")
        return
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")
    build = Build.objects.filter(deployment_key=KEY).first() or _make_build()
    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(User.objects.get(username=KEY))
    address = f"/projects/{build.project.slug}/builds/{build.pk}/"
    tag = ""

    def poll_unchanged() -> Any:
        nonlocal tag
        answer = client.get(f"{address}cards/", headers={"If-None-Match": tag})
        tag = answer.headers["ETag"]
        return answer

    pages: list[tuple[str, Callable[[], Any]]] = [
        ("Build Detail", lambda: client.get(address)),
        ("poll, something new", lambda: client.get(f"{address}cards/")),
        ("poll, 304", poll_unchanged),
        ("Project Detail", lambda: client.get(f"/projects/{build.project.slug}/")),
        ("Projects", lambda: client.get("/projects/")),
        ("Deployments", lambda: client.get("/deployments/")),
    ]
    print(f"{'':28}{'p50 ms':>12}{'best ms':>9}{'CPU ms':>9}{'kB sent':>9}   {UPDATES:,} updates, {DEVICES:,} devices")
    for name, ask in pages:
        times, cpu, answer = _measure(ask)
        sent = len(answer.content) / 1000
        print(f"{name:28}{times[ROUNDS // 2]:>12.1f}{times[0]:>9.1f}{cpu:>9.1f}{sent:>9.1f}", flush=True)
    if os.environ.get("BENCH_PROFILE") == "1":
        _profile(lambda: client.get(address))


def _measure(ask: Callable[[], Any]) -> tuple[list[float], float, Any]:
    """(sorted times, processor time of each in this process, the last answer); in milliseconds, after two to warm up.

    On a machine that does other things too, the best one and the processor time are what can be compared.
    """
    ask()
    ask()
    times = []
    cpu = time.process_time()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        answer = ask()
        times.append((time.perf_counter() - start) * 1000)
        assert answer.status_code in (200, 304), answer.status_code
    return sorted(times), (time.process_time() - cpu) * 1000 / ROUNDS, answer


def _profile(ask: Callable[[], Any]) -> None:
    with cProfile.Profile() as profile:
        for _ in range(10):
            ask()
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


def _make_build() -> Build:
    """Each label is run by as many devices; half of the updates are copies of the first."""
    with transaction.atomic():
        user = UserFactory(username=KEY)
        project = create_project(actor=user, name=KEY)
        build = register_build(
            project,
            actor=user,
            platform="android",
            build_target="production",
            store_version="3.0.0",
            status="success",
            deployment_key=KEY,
        )
        BuildFactory.create_batch(OTHER_BUILDS, project=project)
        # Factories count from zero in each process.
        BundleFactory.reset_sequence(Bundle.objects.count(), force=True)
        CodePushFactory.create_batch(UPDATES, build=build, created_by=user)
        _make_devices(build)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE metrics_device")
        cursor.execute("ANALYZE")
    return build


def _make_devices(build: Build) -> None:
    each = DEVICES // UPDATES
    started = timezone.now() - timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO metrics_device (build_id, client_hash, seen_at, label_number, started_at) "
            "SELECT %s, md5(number::text)::uuid, %s, 1 + number %% %s, %s FROM generate_series(1, %s) number",
            [build.pk, started, UPDATES, started, DEVICES],
        )
    BuildTotals.objects.create(build=build, devices=DEVICES)
    counts = {"downloads": each, "installs": each, "download_reports": each + 3, "install_reports": each + 2}
    ReleaseCounter.objects.bulk_create(
        ReleaseCounter(build=build, label_number=number, active_devices=each, rollbacks=number % 7, **counts)
        for number in range(1, UPDATES + 1)
    )


if __name__ == "__main__":
    main()
