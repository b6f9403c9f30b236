"""Every dialog of an installation with a past: readable and usable at both widths, in both themes."""

import re

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.people import sign_in
from tests.browser.screens import look_at, show_in_readme
from tests.browser.storybook import write_storybook
from tests.deployments.pages import build_url


def test_dialogs(page: Page, complaints: list[str], live_server: LiveServer, transactional_db: None) -> None:
    book = write_storybook()
    openers: dict[str, str | re.Pattern[str]] = {
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
        if name == "rollback":
            show_in_readme(page, name)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
    _look_at_questions(page)
    page.goto(f"{live_server.url}{build_url(book.project.builds.get(store_version='4.1.2'))}")
    page.get_by_role("link", name="Force Update").click()
    expect(page.get_by_role("dialog").get_by_label("Type 4.1.2 to confirm")).to_be_focused()
    look_at(page, "dialog-force-update")
    for address, opener in (("/projects/", "New project"), (f"/projects/{book.project.slug}/", "Create build")):
        page.goto(f"{live_server.url}{address}")
        page.get_by_role("link", name=opener).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look_at(page, f"dialog-{opener.lower().replace(' ', '-')}")
    assert complaints == []


def _look_at_questions(page: Page) -> None:
    """What a dialog says of values that were changed, of wrong ones, and before it forgets them."""
    page.get_by_role("article", name="v5").get_by_role("link", name="Edit v5").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Enabled").uncheck()
    expect(dialog.get_by_text("v4 becomes Live again.", exact=True)).to_be_visible()
    look_at(page, "dialog-edit-disabling")
    dialog.get_by_label("Rollout", exact=True).fill("half")
    dialog.get_by_role("button", name="Save changes").click()
    expect(dialog.get_by_role("alert")).to_be_focused()
    look_at(page, "dialog-edit-refused")
    page.keyboard.press("Escape")
    expect(dialog.get_by_text("Discard changes?")).to_be_visible()
    look_at(page, "dialog-edit-discard")
    dialog.get_by_role("button", name="Discard").click()
    expect(dialog).to_be_hidden()
