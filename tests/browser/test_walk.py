"""A release manager's way through the dashboard, in a browser, under the strict content security policy."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from builds.models import Build
from deployments.models import CodePush
from tests.browser.people import sign_in
from tests.browser.screens import look_at
from tests.deployments.pages import build_url, report_installed
from tests.factories import CodePushFactory


@pytest.fixture
def releases(transactional_db: None, build: Build) -> list[CodePush]:
    """v1 to v3; two devices run v1, three v3."""
    codepushes: list[CodePush] = CodePushFactory.create_batch(3, build=build)
    report_installed(build, "v1", 2)
    report_installed(build, "v3", 3, first=2)
    return codepushes


def test_from_signing_in_to_a_rollback(
    page: Page, complaints: list[str], live_server: LiveServer, release_manager: User, releases: list[CodePush]
) -> None:
    page.goto(f"{live_server.url}/")
    look_at(page, "sign-in")
    sign_in(page, live_server, release_manager)
    look_at(page, "projects")
    page.get_by_role("link", name="Northwind Outdoor").click()
    look_at(page, "project")
    page.get_by_role("link", name="3.0.0").click()
    look_at(page, "build")

    page.get_by_role("link", name="Edit v3").click()
    page.get_by_label("Rollout", exact=True).fill("40")
    expect(page.locator("output")).to_have_text("About 2 of 5 devices")
    look_at(page, "edit")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("v3 saved. v3 is Live.")).to_be_visible()

    page.get_by_role("article", name="v3").get_by_role("link", name="Rollback v3").click()
    expect(page.get_by_role("radio", name=re.compile("^v2"))).to_be_checked()
    page.get_by_role("radio", name=re.compile("^v1")).check()
    look_at(page, "rollback")
    page.get_by_role("button", name="Roll back to v1").click()
    expect(page.get_by_text("Rolled back to v1. v4 is Live.")).to_be_visible()
    expect(page.get_by_role("article", name="v4").get_by_text("Same bundle as v1", exact=True)).to_be_in_viewport()
    look_at(page, "rolled-back")
    assert complaints == []


def test_cards_refresh_by_themselves_without_a_reload(
    page: Page,
    complaints: list[str],
    live_server: LiveServer,
    release_manager: User,
    build: Build,
    releases: list[CodePush],
) -> None:
    pending = CodePushFactory(build=build, status="pending", finished_at=None, duration_ms=None)
    sign_in(page, live_server, release_manager)
    page.goto(f"{live_server.url}{build_url(build)}")
    page.evaluate("window.isSamePage = true")
    CodePush.objects.filter(pk=pending.pk).update(
        status="success", label_number=4, bundle=releases[0].bundle, finished_at=pending.created_at
    )
    expect(page.get_by_role("heading", name="v4 is the Live update")).to_be_visible()
    assert page.evaluate("window.isSamePage")
    expect(page.locator("[data-poll]")).to_have_attribute("data-poll", "30")
    assert complaints == []


def test_a_failed_refresh_keeps_the_page_and_says_from_when_it_is(
    page: Page, live_server: LiveServer, release_manager: User, build: Build, releases: list[CodePush]
) -> None:
    CodePushFactory(build=build, status="pending", finished_at=None, duration_ms=None)
    sign_in(page, live_server, release_manager)
    page.route("**/cards/**", lambda route: route.abort())
    page.goto(f"{live_server.url}{build_url(build)}")
    expect(page.get_by_text("Could not refresh. Showing ")).to_be_visible()
    expect(page.get_by_role("article", name="v3")).to_be_visible()
    page.unroute("**/cards/**")
    expect(page.get_by_text("Could not refresh.")).to_be_hidden()


def test_the_theme_is_kept_from_page_to_page(
    page: Page, live_server: LiveServer, release_manager: User, releases: list[CodePush]
) -> None:
    sign_in(page, live_server, release_manager)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.get_by_role("button", name="Switch between light and dark").click()
    page.get_by_role("link", name="Northwind Outdoor").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_admin_works_under_the_policy(
    page: Page, complaints: list[str], live_server: LiveServer, release_manager: User, releases: list[CodePush]
) -> None:
    release_manager.is_staff = release_manager.is_superuser = True
    sign_in(page, live_server, release_manager)
    page.goto(f"{live_server.url}/admin/auth/user/{release_manager.pk}/change/")
    expect(page.get_by_role("heading", name="Change user")).to_be_visible()
    assert [text for text in complaints if "Content Security Policy" in text] == []
