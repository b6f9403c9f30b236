"""Looks at a page at both widths in both themes. With SCREENSHOTS_DIR set, each look is kept as a picture there.

A name is used by one test only, else one picture would overwrite the other.
"""

import os
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.accessibility import find_violations

WIDTHS = {"desktop": 1440, "mobile": 390}
THEMES = ("light", "dark")


def look_at(page: Page, name: str) -> None:
    """At any width and in any theme, nothing lies outside the window sideways, and everybody can read and use it."""
    page.wait_for_load_state("load")
    folder = os.environ.get("SCREENSHOTS_DIR")
    for device, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        for theme in THEMES:
            page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
            overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert overflow <= 0, f"{name} scrolls {overflow} px sideways at {width} px"
            violations = find_violations(page)
            assert not violations, "\n".join([f"{name} at {width} px, {theme}:", *violations])
            if folder:
                # A dialog fills the window, not the page. Hiding the caret would be an inline style, which is refused.
                is_whole = not page.locator("dialog[open]").count()
                path = Path(folder) / f"{name}-{device}-{theme}.png"
                page.screenshot(path=path, full_page=is_whole, caret="initial")
    page.set_viewport_size({"width": WIDTHS["desktop"], "height": 900})


def show_in_readme(page: Page, name: str) -> None:
    """With README_PICTURES set, what the window shows is kept there, light and dark."""
    folder = os.environ.get("README_PICTURES")
    if not folder:
        return
    page.set_viewport_size({"width": 1280, "height": 800})
    for theme in THEMES:
        page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
        page.screenshot(path=Path(folder) / f"{name}-{theme}.png", caret="initial")
    page.set_viewport_size({"width": WIDTHS["desktop"], "height": 900})
