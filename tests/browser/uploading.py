"""Steps and looks that tests of the file field of New CodePush share."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect


def choose(page: Page, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)


def in_field(page: Page, text: str | re.Pattern[str]) -> Locator:
    """What people see in the file field."""
    return page.locator(".drop").get_by_text(text).locator("visible=true")


def slow_down(page: Page, bytes_per_second: int) -> Callable[[], object]:
    """The network takes only so much from now on; until the function is called."""
    session = page.context.new_cdp_session(page)
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", conditions)
    return lambda: session.send("Network.emulateNetworkConditions", {**conditions, "uploadThroughput": -1})


def assert_waits(page: Page, reason: str) -> None:
    create = page.get_by_role("button", name="Create CodePush")
    expect(create).to_have_attribute("aria-disabled", "true")
    expect(create).to_have_accessible_description(reason)
    expect(page.locator("[data-upload-wait]")).to_be_visible()


def assert_ready(page: Page) -> None:
    expect(page.get_by_text("Uploaded and checked. Devices get nothing until")).to_be_visible()
    expect(page.get_by_role("button", name="Create CodePush")).not_to_have_attribute("aria-disabled", "true")
    expect(page.locator("[data-upload-wait]")).to_be_hidden()


def let_it_give_up(page: Page) -> None:
    """The tries and pauses of an upload that does not get through are over; the page's clock is the test's."""
    for _ in range(6):
        expect(in_field(page, re.compile("No connection: trying again|broke|could not"))).to_be_visible()
        page.clock.run_for(16_000)
