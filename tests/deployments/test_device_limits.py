"""One address may ask much, and not everything. See docs/operations.md, "Limits"."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from builds import rate_limit
from deployments import device_limits
from metrics.models import ReportLogEntry
from tests.devices import Device, send_environ

pytestmark = pytest.mark.django_db
CHECK = "/api/v0.1/public/codepush/update_check"
HOME = "8.8.4.4"


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    """Two requests per second, so sixty at once; no time goes by."""
    settings.DEVICE_REQUESTS_PER_SECOND = 2
    monkeypatch.setattr(rate_limit, "monotonic", lambda: 1000.0)
    for limits in (device_limits._requests, device_limits._reports):
        limits.cache_clear()
    yield
    for limits in (device_limits._requests, device_limits._reports):
        limits.cache_clear()


def ask(device: Device, address: str = HOME, **environ: str) -> int:
    query = f"deployment_key={device.key}&app_version=3.0.0"
    asked = {"REQUEST_METHOD": "GET", "PATH_INFO": CHECK, "QUERY_STRING": query, "REMOTE_ADDR": address}
    return send_environ({**asked, **environ}).status


def test_the_sixtieth_request_is_answered_and_the_next_is_not(device: Device) -> None:
    assert [ask(device) for _ in range(61)] == [200] * 60 + [429]
    assert ask(device, "8.8.8.8") == 200


def test_who_is_refused_hears_when_to_come_back(device: Device) -> None:
    for _ in range(60):
        ask(device)

    refused = send_environ({"PATH_INFO": CHECK, "REMOTE_ADDR": HOME})

    assert (refused.status, refused.headers["retry-after"]) == (429, "10")
    assert refused.text == "Too many requests from this address. Try again later."
    assert send_environ({"REQUEST_METHOD": "HEAD", "PATH_INFO": CHECK, "REMOTE_ADDR": HOME}).body == b""


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "192.168.1.4", "fd00::1", ""])
def test_a_private_network_is_not_limited(device: Device, address: str) -> None:
    assert {ask(device, address) for _ in range(70)} == {200}


def test_zero_is_no_limit(device: Device, settings: Settings) -> None:
    settings.DEVICE_REQUESTS_PER_SECOND = 0

    assert {ask(device) for _ in range(70)} == {200}


def test_behind_a_proxy_each_client_has_its_own(device: Device, settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    for _ in range(60):
        ask(device, "10.0.0.1", HTTP_X_FORWARDED_FOR=HOME)

    assert ask(device, "10.0.0.1", HTTP_X_FORWARDED_FOR=HOME) == 429
    assert ask(device, "10.0.0.1", HTTP_X_FORWARDED_FOR=f"8.8.8.8, {HOME}") == 429
    assert ask(device, "10.0.0.1", HTTP_X_FORWARDED_FOR="8.8.8.8") == 200


def test_reports_of_one_build_are_half_of_it(device: Device) -> None:
    allowed = [device_limits.allows_report({"REMOTE_ADDR": HOME}, device.key) for _ in range(31)]

    assert allowed == [True] * 30 + [False]
    assert device_limits.allows_report({"REMOTE_ADDR": HOME}, "another-key")


def test_a_report_too_many_is_refused_and_not_kept(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_limits, "allows_report", lambda environ, key: False)

    assert device.report_deploy().status == 429
    assert not ReportLogEntry.objects.exists()


def test_pages_are_not_limited_with_devices(device: Device, client: Client) -> None:
    for _ in range(61):
        ask(device)

    assert client.get("/healthz", REMOTE_ADDR=HOME).status_code == 200
