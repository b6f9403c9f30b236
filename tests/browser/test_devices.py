"""From a number on a card to its devices, and to one of them, in a browser."""

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from builds.models import Build
from tests.browser.people import sign_in
from tests.browser.screens import look_at
from tests.deployments.pages import build_url, report_installed
from tests.factories import CodePushFactory


def test_from_a_number_to_a_device_and_its_offer(
    page: Page, complaints: list[str], live_server: LiveServer, viewer: User, build: Build
) -> None:
    CodePushFactory.create_batch(2, build=build)
    report_installed(build, "v1", 30)
    report_installed(build, "v2", 3, first=2)
    sign_in(page, live_server, viewer, at=build_url(build))
    look_at(page, "build-with-links")
    page.get_by_role("article", name="v1").get_by_role("link", name="30 (show devices)").click()
    expect(page.get_by_text("30 devices installed v1")).to_be_visible()
    look_at(page, "devices")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("row")).to_have_count(6)
    page.get_by_label("Client id").fill("device 3")
    page.get_by_label("Client id").press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    look_at(page, "device-found")
    page.get_by_role("link", name="Device ").click()
    expect(page.get_by_text("it already runs the bundle of the newest update")).to_be_visible()
    expect(page.get_by_role("heading", name="Its reports")).to_be_visible()
    look_at(page, "device")
    page.get_by_role("link", name="Why, step by step").click()
    expect(page.get_by_text("Stopped here")).to_be_visible()
    page.get_by_text("GET /api/updateCheck").click()
    look_at(page, "explain")
    assert complaints == []
