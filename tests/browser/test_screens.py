"""Every page of an installation with a past: readable and usable at both widths, in both themes."""

from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.people import sign_in
from tests.browser.screens import look_at, show_in_readme
from tests.browser.storybook import write_storybook
from tests.deployments.pages import build_url, codepush_url


def test_main_pages(page: Page, complaints: list[str], live_server: LiveServer, transactional_db: None) -> None:
    book = write_storybook()
    live = book.releases[-1]
    screens = {
        "projects": "/projects/",
        "project": f"/projects/{book.project.slug}/",
        "build": build_url(book.build),
        "edit": codepush_url(live, "edit"),
        "rollback": codepush_url(live, "rollback"),
        "create": build_url(book.build, "codepush/new/"),
        "devices": build_url(book.build, f"devices/?show=active&label={live.label}"),
        "explain": build_url(book.build, f"explain/?client_unique_id=phone-{book.build.pk}-7"),
        "deployments": "/deployments/",
        "audit-log": "/audit/",
    }
    sign_in(page, live_server, book.release_manager)
    for name, address in screens.items():
        page.goto(f"{live_server.url}{address}")
        look_at(page, name)
        if name in ("projects", "build"):
            show_in_readme(page, name)
    assert complaints == []
