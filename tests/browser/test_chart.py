"""The adoption chart and the failures view in a browser: drawn, read out, as a table, and without JavaScript."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.people import sign_in
from tests.browser.screens import look_at
from tests.browser.storybook import Storybook, write_storybook
from tests.deployments.pages import build_url, codepush_url


@pytest.fixture
def book(transactional_db: None) -> Storybook:
    return write_storybook()


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A browser in which no script runs."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def open_build(page: Page, server: LiveServer, book: Storybook, query: str = "") -> None:
    sign_in(page, server, book.release_manager)
    page.goto(f"{server.url}{build_url(book.build, query)}")


def count_colours(page: Page) -> int:
    """How many different colours the chart's canvas has: one for each band at least, none before it is drawn."""
    colours: int = page.evaluate(
        """() => {
          const canvas = document.querySelector(".chart canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    return colours


def test_the_chart_is_drawn_and_read_out_by_keyboard(
    page: Page, complaints: list[str], live_server: LiveServer, book: Storybook
) -> None:
    open_build(page, live_server, book)
    chart = page.get_by_role("img", name="v5 Live went from 0%")
    expect(chart.locator("canvas")).to_be_visible()
    assert count_colours(page) > 5
    readout = page.locator("[data-readout]")
    expect(readout).to_contain_text("v5 Live")
    newest = readout.inner_text()
    chart.focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    expect(readout).not_to_have_text(newest)
    expect(readout).to_contain_text(re.compile(r"v5 Live\s*0%"))
    page.keyboard.press("End")
    expect(readout.locator(".legend")).to_contain_text("No CodePush")
    page.keyboard.press("Escape")
    assert readout.inner_text() == newest
    assert complaints == []


def test_pointing_at_the_chart_reads_it_out(page: Page, live_server: LiveServer, book: Storybook) -> None:
    open_build(page, live_server, book)
    box = page.locator(".chart .u-over").bounding_box()
    assert box
    before = page.locator("[data-when]").inner_text()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    expect(page.locator("[data-when]")).not_to_have_text(before)


def test_the_table_opens_in_place_and_a_range_keeps_the_page(
    page: Page, complaints: list[str], live_server: LiveServer, book: Storybook
) -> None:
    open_build(page, live_server, book)
    page.locator("summary", has_text="Show as a table").click()
    table = page.get_by_role("table", name="Share of devices by version")
    expect(table.get_by_role("columnheader", name="v5 Live")).to_be_visible()
    look_at(page, "build-table")
    page.evaluate("window.isSamePage = true")
    page.get_by_role("navigation", name="Range").get_by_role("link", name="24 h").click()
    expect(page.get_by_role("link", name="24 h")).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(re.compile(r"range=24h"))
    expect(page.locator(".chart canvas")).to_be_visible()
    assert page.evaluate("window.isSamePage")
    assert complaints == []


def test_the_chart_follows_the_theme_and_the_width(page: Page, live_server: LiveServer, book: Storybook) -> None:
    open_build(page, live_server, book)
    canvas = page.locator(".chart canvas")
    expect(canvas).to_be_visible()
    light = canvas.evaluate("canvas => canvas.toDataURL()")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert canvas.evaluate("canvas => canvas.toDataURL()") != light
    wide = canvas.bounding_box()
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("document.querySelector('.chart canvas').clientWidth < 400")
    assert wide
    assert wide["width"] > 400


def test_a_refresh_leaves_the_chart_as_it_is(page: Page, live_server: LiveServer, book: Storybook) -> None:
    open_build(page, live_server, book)
    expect(page.locator(".chart canvas")).to_be_visible()
    page.locator("summary", has_text="Show as a table").click()
    page.evaluate("document.querySelector('.chart canvas').isSame = true")
    with page.expect_response("**/cards/**"):
        page.evaluate("document.querySelector('[data-poll]').dataset.tag = ''")
        page.evaluate("window.htmx.trigger(document.querySelector('[data-poll]'), 'refresh')")
    page.wait_for_timeout(200)
    assert page.evaluate("document.querySelector('.chart canvas').isSame")
    expect(page.get_by_role("table", name="Share of devices by version")).to_be_visible()


def test_nothing_moves_while_the_chart_loads(page: Page, live_server: LiveServer, book: Storybook) -> None:
    sign_in(page, live_server, book.release_manager)
    page.route("**/adoption.json*", lambda route: None)
    page.goto(f"{live_server.url}{build_url(book.build)}")
    before = page.locator("#related").bounding_box()
    page.unroute("**/adoption.json*")
    page.reload()
    expect(page.locator(".chart canvas")).to_be_visible()
    assert page.locator("#related").bounding_box() == before


def test_without_javascript_there_is_a_picture_and_a_table(
    plain_page: Page, live_server: LiveServer, book: Storybook
) -> None:
    open_build(plain_page, live_server, book)
    picture = plain_page.get_by_role("img", name="Share of devices by version, over time.")
    expect(picture).to_be_visible()
    # A script from outside sees what the browser has decoded.
    assert picture.evaluate("image => image.naturalWidth") > 0
    plain_page.get_by_role("link", name="Show as a table").click()
    expect(plain_page.get_by_role("table", name="Share of devices by version")).to_be_visible()


def test_from_an_outlier_to_its_failures_and_its_history(
    page: Page, complaints: list[str], live_server: LiveServer, book: Storybook
) -> None:
    open_build(page, live_server, book)
    page.get_by_role("button", name="Rollbacks explained").click()
    expect(page.get_by_text("Devices that failed to apply it and went back by themselves.")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Device rollbacks", exact=True).click()
    expect(page.get_by_role("heading", name="Device rollbacks", level=1)).to_be_visible()
    page.locator("summary", has_text="Show as a table").click()
    look_at(page, "failures")
    page.get_by_label("Update", exact=True).select_option("v5")
    expect(page).to_have_url(re.compile(r"label=v5"))
    look_at(page, "failures-of-one")
    page.goto(f"{live_server.url}{codepush_url(book.releases[2], 'log')}")
    look_at(page, "history")
    page.goto(f"{live_server.url}{build_url(book.build, 'adoption/')}")
    look_at(page, "adoption")
    assert complaints == []
