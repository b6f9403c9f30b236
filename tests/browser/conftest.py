"""A real browser in front of a live server. Skipped on a machine without Chromium, but in CI."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from builds.models import Build
from tests.browser.people import sign_in
from tests.browser.uploading import assert_waits
from tests.deployments.pages import build_url

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# What FormPage answers when it refuses: the page says it in words, and Chromium notes each such status. A 200 would
# silence that line and lie to scripts, proxies and logs: so this line is left out, and no other.
REFUSAL = re.compile(r"^Failed to load resource: the server responded with a status of (409|413|422) ")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM or os.environ.get("CI"):
        return
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="needs chromium"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright runs an event loop in this thread, where Django would refuse to use the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says: refusals by the content security policy, errors in scripts, missing files.

    Not that a form came back with what is wrong (409, 413, 422): that is an answer, and honest to scripts and proxies.
    """
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    # Nobody waits for the end of a transition: not the tests either, which would judge colours half-way.
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(10_000)

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not REFUSAL.match(message.text):
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()


@pytest.fixture
def form(page: Page, live_server: LiveServer, release_manager: User, build: Build) -> Page:
    """New CodePush, just opened."""
    sign_in(page, live_server, release_manager, at=build_url(build, "codepush/new/"))
    assert_waits(page, "Choose a bundle first.")
    return page
