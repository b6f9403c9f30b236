"""Tokens made and revoked in a browser, and the reference of the API, under the strict content security policy."""

import re

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from builds.models import Build, Role
from release_api.tokens import create_token, is_well_formed
from tests.browser.people import sign_in
from tests.browser.screens import look_at
from tests.release_api.caller import Caller


def test_a_token_is_shown_once_and_revoked(
    page: Page, complaints: list[str], live_server: LiveServer, owner: User, build: Build
) -> None:
    sign_in(page, live_server, owner)
    page.locator("summary").click()
    page.get_by_role("link", name="API tokens").click()
    expect(page.get_by_text("No tokens yet.")).to_be_visible()
    look_at(page, "tokens-empty")
    page.get_by_role("link", name="New token").first.click()
    page.get_by_role("textbox", name="Name").fill("GitHub Actions")
    page.get_by_label("Reaches").select_option("Northwind Outdoor")
    look_at(page, "token-new")
    page.get_by_role("button", name="Create token").click()
    text = page.locator(".copyline .mono").inner_text()
    look_at(page, "token-created")
    assert is_well_formed(text)

    assert Caller(text=text).get("/projects").status_code == 200
    page.get_by_role("link", name="Done").click()
    assert text not in page.content()
    expect(page.get_by_role("cell", name="Release manager")).to_be_visible()
    create_token(actor=owner, name="Nightly job", role=Role.VIEWER, expires_in_days=30)
    page.goto(f"{live_server.url}/projects/northwind-outdoor/tokens/")
    look_at(page, "tokens-project")
    page.goto(f"{live_server.url}/account/tokens/")
    look_at(page, "tokens")
    page.get_by_role("link", name="Revoke GitHub Actions").click()
    look_at(page, "token-revoke")
    page.get_by_role("button", name="Revoke GitHub Actions").click()
    expect(page.get_by_text("GitHub Actions is revoked.")).to_be_visible()
    assert Caller(text=text).get("/projects").status_code == 401
    assert complaints == []


def test_the_reference_needs_no_sign_in_and_no_script(
    page: Page, complaints: list[str], live_server: LiveServer
) -> None:
    page.goto(f"{live_server.url}/api/v1/docs")
    look_at(page, "api-docs")
    page.get_by_role("link", name="Roll back").click()
    expect(page.get_by_role("heading", name="Roll back")).to_be_in_viewport()
    page.get_by_role("region", name=re.compile("^Roll back")).get_by_text("Answers 201").click()
    assert complaints == []
