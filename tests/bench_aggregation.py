"""What applying reports costs where a million devices are known, and what reading the numbers costs then.

Rows are made once in the database of DATABASE_URL, which is a scratch database. BENCH_LARGE=1: cards and charts of a
build with ten million devices too.
"""

import os
import random
import resource
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from itertools import islice, repeat
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402

from builds.models import Build  # noqa: E402
from builds.services import create_project, register_build  # noqa: E402
from deployments.models import Bundle  # noqa: E402
from metrics import report_log  # noqa: E402
from metrics.adoption import read_adoption  # noqa: E402
from metrics.aggregation import apply_waiting_reports, hash_client  # noqa: E402
from metrics.history import RANGES, read_rollback_history  # noqa: E402
from metrics.models import BuildTotals, ReleaseCounter, ReleaseHour, ReportLogEntry, Software  # noqa: E402
from metrics.reports import DeviceReport, ReportEvent  # noqa: E402
from metrics.selectors import measure_builds  # noqa: E402
from tests.factories import BundleFactory, CodePushFactory, UserFactory  # noqa: E402

DEVICES = 1_000_000
REPORTS = 100_000
LARGE_DEVICES, LARGE_LABELS = 10_000_000, 1000
# Of the reports: devices that are new, and reports that came twice.
NEW_SHARE, DOUBLED_SHARE = 0.1, 0.1
LIBRARY = {"sdk_version": "4.2.3", "plugin_name": "react-native-code-push", "plugin_version": "9.0.1"}


def main() -> None:
    if connection.vendor != "postgresql":
        print("aggregation: skipped, DATABASE_URL names no PostgreSQL")
        return
    call_command("migrate", verbosity=0)
    build = _find_or_make("bench-aggregation", DEVICES, 2, _copy_devices)
    apply_waiting_reports()
    _measure_aggregation(build)
    _measure_one_client()
    _print_sizes()
    if os.environ.get("BENCH_LARGE") == "1":
        _measure_reading(_find_or_make("bench-large", LARGE_DEVICES, LARGE_LABELS, _generate_devices))


def _find_or_make(key: str, device_count: int, labels: int, make_devices: Callable[[int, int], None]) -> Build:
    """A build with as many updates, all of which are in its history; its devices run v1."""
    build = Build.objects.filter(deployment_key=key).first()
    if build is not None:
        return build
    with transaction.atomic():
        user = UserFactory(username=key)
        project = create_project(actor=user, name=key)
        build = register_build(
            project,
            actor=user,
            platform="android",
            build_target="production",
            store_version="3.0.0",
            status="success",
            deployment_key=key,
        )
        # Factories count from zero in each process.
        BundleFactory.reset_sequence(Bundle.objects.count(), force=True)
        CodePushFactory.create_batch(labels, build=build)
        make_devices(build.pk, device_count)
        counts = {"downloads": device_count, "installs": device_count}
        BuildTotals.objects.create(build=build, devices=device_count)
        ReleaseCounter.objects.create(build=build, label_number=1, active_devices=device_count, **counts)
        ReleaseCounter.objects.bulk_create(
            ReleaseCounter(build=build, label_number=label, active_devices=13 * 12) for label in range(2, labels + 1)
        )
        _make_hours(build, labels)
    with connection.cursor() as cursor:
        # Outside of a transaction, as autovacuum would have done by then.
        cursor.execute("VACUUM ANALYZE")
    return build


def _make_hours(build: Build, labels: int) -> None:
    """Every second hour of 13 days something happened to each label."""
    start = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=13)
    hours = (
        ReleaseHour(build=build, label_number=label, hour=start + timedelta(hours=hour), downloads=9, active_change=1)
        for hour in range(13 * 24)
        for label in range(1 + hour % 2, labels + 1, 2)
    )
    while part := list(islice(hours, 5000)):
        ReleaseHour.objects.bulk_create(part)


def _copy_devices(build_id: int, count: int) -> None:
    """With the hashes of the client ids that reports will come from."""
    at = timezone.now() - timedelta(days=1)
    software = Software.objects.create(build_id=build_id, app_version="3.0.0", devices=count, **LIBRARY)
    columns = "build_id, client_hash, seen_at, label_number, started_at, software_id"
    with connection.cursor() as cursor, cursor.copy(f"COPY metrics_device ({columns}) FROM STDIN") as copy:
        for number in range(count):
            copy.write_row((build_id, hash_client(f"device-{number}"), at, 1, at, software.pk))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO metrics_devicefact (build_id, label_number, event, client_hash) "
            "SELECT build_id, 1, event, client_hash FROM metrics_device, "
            "(VALUES ('downloaded'), ('installed')) events (event) WHERE build_id = %s",
            [build_id],
        )


def _generate_devices(build_id: int, count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO metrics_device (build_id, client_hash, seen_at, label_number, started_at) "
            "SELECT %s, md5(number::text)::uuid, now(), 1, now() FROM generate_series(1, %s) number",
            [build_id, count],
        )


def _list_reports(run: int) -> Iterator[DeviceReport]:
    """Devices download v2 and start it. Each run has devices of its own; they are spread over the whole table."""
    chance = random.Random(run)
    made = 0
    while made < REPORTS:
        number = made + run * REPORTS
        is_new = chance.random() < NEW_SHARE
        client = f"new-{number}" if is_new else f"device-{number % DEVICES}"
        common = {"deployment_key": "bench-aggregation", "client_unique_id": client, "label": "v2"}
        started = {"app_version": "3.0.0", "previous_deployment_key": "bench-aggregation", **LIBRARY}
        reports = [
            DeviceReport(ReportEvent.DOWNLOADED, **common),
            DeviceReport(ReportEvent.INSTALLED, **common, **started),
        ]
        for report in reports:
            for _ in range(2 if chance.random() < DOUBLED_SHARE else 1):
                made += 1
                yield report


def _measure_one_client() -> None:
    """One client that says the same all the time: what it costs the worker that everybody waits for."""
    report = DeviceReport(ReportEvent.DOWNLOADED, "bench-aggregation", "device-0", "v2", **LIBRARY)
    _log(repeat(report, REPORTS))
    start = time.monotonic()
    applied = apply_waiting_reports()
    print(f"{'  all of one client':28}{applied / (time.monotonic() - start):>12,.0f} reports/s")


def _log(reports: Iterable[DeviceReport]) -> None:
    if settings.REDIS_URL:
        for report in reports:
            report_log.append(report)
        return
    # In parts, so that the peak of memory is that of the aggregation.
    waiting = iter(reports)
    while part := [ReportLogEntry(**asdict(report)) for report in islice(waiting, 5000)]:
        ReportLogEntry.objects.bulk_create(part)


def _measure_aggregation(build: Build) -> None:
    # Hashes lie at random in the table, so that a range of numbers is no range of rows.
    done = ReleaseCounter.objects.filter(build=build, label_number=2).values_list("download_reports", flat=True).first()
    _log(_list_reports((done or 0) * 2 // REPORTS))
    before = _read_peak_mb()
    start = time.monotonic()
    applied = apply_waiting_reports()
    seconds = time.monotonic() - start
    name = f"aggregation ({'Redis' if settings.REDIS_URL else 'table'})"
    print(f"{name:28}{applied / seconds:>12,.0f} reports/s, {applied:,} reports into {DEVICES:,} devices")
    print(f"{'':28}{_read_peak_mb():>12,.0f} MB at most, {before:,.0f} MB before")


def _read_peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _print_sizes() -> None:
    for table, of in (
        ("metrics_device", "device"),
        ("metrics_devicefact", "fact"),
        ("metrics_reportlogentry", "report"),
    ):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT pg_table_size('{table}'), pg_indexes_size('{table}'), greatest(count(*), 1) FROM {table}"
            )
            rows, indexes, count = cursor.fetchone()
        each = f"{rows / count:.0f} in the table, {indexes / count:.0f} in indexes; {count:,} rows"
        print(f"{'bytes per ' + of:28}{(rows + indexes) / count:>12,.0f} ({each})")


def _measure_reading(build: Build) -> None:
    now = timezone.now()
    since = now - timedelta(days=7)
    reads: list[tuple[str, Callable[[], Any]]] = [
        ("cards", lambda: measure_builds([build.deployment_key])),
        *((f"adoption chart, {name}", partial(read_adoption, build, range_name=name)) for name in RANGES),
        ("rollbacks per hour, 7 days", lambda: read_rollback_history(build.pk, since=since, until=now)),
    ]
    for name, read in reads:
        read()
        with CaptureQueriesContext(connection) as captured:
            read()
        plans = [_explain(query["sql"]) for query in captured]
        total = sum(milliseconds for milliseconds, _ in plans)
        print(f"{name:28}{total:>12.2f} ms in the database, {len(plans)} queries, {LARGE_DEVICES:,} devices")
        for _, plan in plans:
            print("    " + "\n    ".join(plan))


def _explain(sql: str) -> tuple[float, list[str]]:
    """(planning and execution in milliseconds, the plan without them)"""
    with connection.cursor() as cursor:
        # Django's own SQL, its values filled in.
        cursor.execute("EXPLAIN (ANALYZE, COSTS OFF) " + sql)
        lines = [line for (line,) in cursor.fetchall()]
    return sum(float(line.split()[-2]) for line in lines if line.endswith(" ms")), [
        line for line in lines if not line.endswith(" ms")
    ]


if __name__ == "__main__":
    main()
