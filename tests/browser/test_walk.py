"""What every page has: it keeps what it shows when a refresh fails, the theme, and the admin behind it."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from builds.models import Build
from deployments.models import CodePush
from tests.browser.people import sign_in
from tests.deployments.pages import build_url
from tests.factories import CodePushFactory


@pytest.fixture
def releases(transactional_db: None, build: Build) -> list[CodePush]:
    codepushes: list[CodePush] = CodePushFactory.create_batch(3, build=build)
    return codepushes


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
