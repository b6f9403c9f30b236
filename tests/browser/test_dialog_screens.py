"""Every dialog of an installation with a past: readable and usable at both widths, in both themes."""

import re

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.people import sign_in
from tests.browser.screens import look_at
from tests.browser.storybook import write_storybook
from tests.deployments.pages import build_url


def test_dialogs(page: Page, complaints: list[str], live_server: LiveServer, transactional_db: None) -> None:
    book = write_storybook()
    openers = {
        "rollback": "Rollback v5",
        "edit": "Edit v5",
        "promote": "Promote v4",
        "retry": re.compile("^Retry"),
        "cancel": re.compile("^Cancel"),
        "store-status": "Update store status",
        "create": "CodePush",
    }
    sign_in(page, live_server, book.release_manager, at=build_url(book.build))
    for name, opener in openers.items():
        page.get_by_role("main").get_by_role("link", name=opener, exact=isinstance(opener, str)).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look_at(page, f"dialog-{name}")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
    for address, opener in (("/projects/", "New project"), (f"/projects/{book.project.slug}/", "Create build")):
        page.goto(f"{live_server.url}{address}")
        page.get_by_role("link", name=opener).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look_at(page, f"dialog-{opener.lower().replace(' ', '-')}")
    assert complaints == []
