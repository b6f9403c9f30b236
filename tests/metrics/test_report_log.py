"""A report that was answered with 200 is durable: in the table, or in Redis where that is set up."""

import threading
from urllib.parse import urlsplit

import pytest
import redis
from django.db import OperationalError, connection
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from metrics import report_log
from metrics.aggregation import apply_batch, apply_waiting_reports
from metrics.models import LogPosition, ReportLogEntry
from metrics.reports import DeviceReport, ReportEvent
from metrics.selectors import measure_builds
from tests.devices import Device
from tests.flows.faulty_proxy import FaultyProxy

pytestmark = pytest.mark.django_db(transaction=True)

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def table_log(settings: Settings) -> None:
    settings.REDIS_URL = ""


@pytest.fixture
def stream_log(settings: Settings) -> "redis.Redis":
    if not settings.REDIS_URL:
        pytest.skip("REDIS_URL is not set")
    return redis.Redis.from_url(settings.REDIS_URL)


@pytest.fixture
def relay(stream_log: "redis.Redis", settings: Settings) -> FaultyProxy:
    """Between the product and Redis."""
    url = urlsplit(settings.REDIS_URL)
    relay = FaultyProxy(url.hostname or "127.0.0.1", url.port or 6379)
    settings.REDIS_URL = f"redis://127.0.0.1:{relay.port}{url.path}"
    return relay


@pytest.fixture
def redis_away(settings: Settings) -> None:
    settings.REDIS_URL = NOWHERE


@pytest.mark.usefixtures("table_log")
def test_without_redis_a_report_costs_one_transaction_and_is_committed(
    device: Device, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # Begin, the row, commit.
    with django_assert_num_queries(3):
        assert device.report_deploy().status == 200
    assert not connection.in_atomic_block
    connection.close()
    assert ReportLogEntry.objects.count() == 1


@pytest.mark.usefixtures("table_log")
def test_a_report_that_cannot_be_kept_is_to_be_sent_again(device: Device) -> None:
    def fail(*args: object) -> None:
        raise OperationalError("The database is away.")

    with connection.execute_wrapper(fail):
        reply = device.report_deploy()
    assert (reply.status, reply.headers["retry-after"]) == (503, "5")
    assert device.report_deploy().status == 200
    assert ReportLogEntry.objects.count() == 1


@pytest.mark.usefixtures("table_log")
def test_reports_of_many_threads_are_each_kept_once(device: Device) -> None:
    def report(number: int) -> None:
        for place in range(10):
            report_log.append(DeviceReport(ReportEvent.INSTALLED, device.key, f"phone-{number}-{place}", "v1"))
        connection.close()

    threads = [threading.Thread(target=report, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ReportLogEntry.objects.values("client_unique_id").distinct().count() == ReportLogEntry.objects.count() == 80


@pytest.mark.usefixtures("redis_away")
def test_when_redis_does_not_answer_the_table_takes_the_report_and_the_numbers_have_it(device: Device) -> None:
    assert device.report_deploy().status == 200
    assert apply_waiting_reports() == 1
    assert measure_builds([device.key])[device.key].total_devices == 1


def test_a_redis_that_was_restarted_takes_the_next_report(
    device: Device, stream_log: "redis.Redis", relay: FaultyProxy
) -> None:
    assert device.report_deploy().status == 200
    relay.go_away()
    assert device.report_deploy().status == 200
    assert (stream_log.xlen(report_log.STREAM), ReportLogEntry.objects.count()) == (1, 1)
    relay.come_back()
    assert device.report_deploy().status == 200
    # Its connection is known, and breaks.
    relay.go_away()
    relay.come_back()
    assert device.report_deploy().status == 200
    assert (stream_log.xlen(report_log.STREAM), ReportLogEntry.objects.count()) == (3, 1)


def test_a_late_answer_of_redis_is_not_taken_for_that_to_the_next_report(
    device: Device, stream_log: "redis.Redis", relay: FaultyProxy
) -> None:
    device.report_deploy()
    relay.delay_seconds = 1.0
    assert device.report_deploy().status == 200
    assert ReportLogEntry.objects.count() == 1
    relay.delay_seconds = 0.0
    relay.go_away()
    assert device.report_deploy().status == 200
    assert ReportLogEntry.objects.count() == 2


def test_what_redis_refuses_the_table_takes(device: Device, stream_log: "redis.Redis") -> None:
    """As when its memory is full."""
    stream_log.set(report_log.STREAM, "not a stream")
    try:
        assert [device.report_deploy().status for _ in range(2)] == [200, 200]
    finally:
        stream_log.delete(report_log.STREAM)
    assert device.report_deploy().status == 200
    assert (stream_log.xlen(report_log.STREAM), ReportLogEntry.objects.count()) == (1, 2)


def test_a_stream_is_applied_once_and_then_forgotten(device: Device, stream_log: "redis.Redis") -> None:
    for number in range(5):
        Device(device.key, client_unique_id=f"phone-{number}").report_deploy()
    assert (stream_log.xlen(report_log.STREAM), ReportLogEntry.objects.count()) == (5, 0)
    assert [apply_batch(3), apply_batch(3), apply_batch(3)] == [3, 2, 0]
    assert (stream_log.xlen(report_log.STREAM), ReportLogEntry.objects.filter(is_applied=True).count()) == (0, 5)
    assert measure_builds([device.key])[device.key].total_devices == 5


def test_a_stream_that_was_not_trimmed_is_not_applied_again(
    device: Device, stream_log: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the worker is killed between its commit and the trimming."""
    monkeypatch.setattr(report_log, "trim_stream", lambda position: None)
    device.report_deploy()
    assert [apply_batch(), apply_batch()] == [1, 0]
    assert stream_log.xlen(report_log.STREAM) == 1


def test_a_stream_made_anew_by_a_redis_whose_clock_is_behind_is_read(device: Device, stream_log: "redis.Redis") -> None:
    apply_waiting_reports()
    LogPosition.objects.update(stream_id="99999999999999-0")
    device.report_deploy()
    assert apply_batch() == 1


def test_reports_in_table_and_stream_are_all_applied(device: Device, stream_log: "redis.Redis") -> None:
    ReportLogEntry.objects.create(event="binary_started", deployment_key=device.key, client_unique_id="phone-1")
    Device(device.key, client_unique_id="phone-2").report_deploy()
    apply_waiting_reports()
    assert measure_builds([device.key])[device.key].total_devices == 2
