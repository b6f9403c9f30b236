"""/metrics: what Prometheus reads, and who may."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from builds.models import Build
from deployments.services.codepushes import create_codepush
from deployments.services.processing import process_codepush
from metrics.aggregation import apply_waiting_reports
from telemetry import measures
from tests.deployments.stories import small_archive
from tests.devices import Device, send

pytestmark = pytest.mark.django_db


def read(client: Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """{(name, labels): value} of everything that is told."""
    told = client.get("/metrics")
    assert told.status_code == 200
    families = text_string_to_metric_families(told.content.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value for one in families for sample in one.samples
    }


def count(client: Client, name: str, **labels: str) -> float:
    return read(client).get((name, tuple(sorted(labels.items()))), 0.0)


def test_an_update_check_is_counted_by_the_reason_of_its_answer(client: Client, device: Device) -> None:
    reason = device.check().headers["x-codepush-reason"]
    before = count(client, "codepush_update_checks_total", outcome=reason)

    for _ in range(3):
        assert device.check().headers["x-codepush-reason"] == reason

    assert count(client, "codepush_update_checks_total", outcome=reason) == before + 3


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ("", "malformed"),
        ("deployment_key=unknown-deployment-key&app_version=3.0.0", "unknown_key"),
    ],
)
def test_a_refused_update_check_is_counted_too(client: Client, query: str, outcome: str) -> None:
    before = count(client, "codepush_update_checks_total", outcome=outcome)

    send("GET", "/api/updateCheck", query=query)

    assert count(client, "codepush_update_checks_total", outcome=outcome) == before + 1


def test_a_report_waits_and_is_then_in_the_numbers(client: Client, device: Device, settings: Settings) -> None:
    log = "stream" if settings.REDIS_URL else "table"
    taken = count(client, "codepush_reports_total", outcome="taken")
    applied = count(client, "codepush_reports_applied_total", log=log)

    device.report_deploy()
    assert count(client, "codepush_reports_total", outcome="taken") == taken + 1
    assert count(client, "codepush_report_log_waiting") == 1
    assert 0 <= count(client, "codepush_report_log_lag_seconds") < 60

    apply_waiting_reports()
    assert count(client, "codepush_report_log_waiting") == 0
    assert count(client, "codepush_report_log_lag_seconds") == 0
    assert count(client, "codepush_reports_applied_total", log=log) == applied + 1


def test_an_upload_waits_and_is_then_timed(
    client: Client,
    build: Build,
    release_manager: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())
    done = count(client, "codepush_processing_seconds_count", status="success")
    assert count(client, "codepush_unfinished_codepushes", status="pending") == 1

    with django_capture_on_commit_callbacks(execute=True):
        process_codepush(codepush.pk)

    assert count(client, "codepush_unfinished_codepushes", status="pending") == 0
    assert count(client, "codepush_processing_seconds_count", status="success") == done + 1


def test_reading_it_takes_a_fixed_number_of_queries(
    client: Client, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4 if settings.REDIS_URL else 3):
        client.get("/metrics")


def test_with_a_token_only_who_sends_it_may_read(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "of-the-monitoring"

    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer of-the-monitorinG"}).status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer of-the-monitoring"}).status_code == 200


@pytest.mark.parametrize(
    ("address", "forwarded", "status"),
    [
        ("10.1.2.3", "", 200),
        ("127.0.0.1", "", 200),
        ("203.0.113.7", "", 200),
        ("8.8.8.8", "", 403),
        ("10.1.2.3", "10.9.9.9", 403),
    ],
)
def test_without_a_token_the_private_network_may(client: Client, address: str, forwarded: str, status: int) -> None:
    sent = {"X-Forwarded-For": forwarded} if forwarded else {}

    assert client.get("/metrics", headers=sent, REMOTE_ADDR=address).status_code == status


def test_the_files_of_ended_processes_go_with_a_release(settings: Settings) -> None:
    dead = settings.MEASURES_DIR / "counter_4194304.db"
    dead.touch()
    measures.RATE_LIMITED.labels("test").inc()

    call_command("prepare")

    assert not dead.exists()
    assert list(settings.MEASURES_DIR.glob("counter_*.db"))
