"""Projects, one project, its settings and members, and the account, in a browser."""

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from builds.models import Build, Project, Role
from tests.browser.people import sign_in
from tests.browser.screens import look_at
from tests.browser.storybook import write_storybook
from tests.deployments.pages import build_url
from tests.factories import CodePushFactory, MembershipFactory, UserFactory

SETTINGS = "/projects/northwind-outdoor/settings/"


def test_what_needs_attention_leads_to_its_card(
    page: Page, complaints: list[str], live_server: LiveServer, transactional_db: None
) -> None:
    book = write_storybook()
    CodePushFactory(build=Build.objects.get(store_version="2.18.0"), status="failed", failure_reason="No bundle in it.")
    sign_in(page, live_server, book.release_manager)
    attention = page.get_by_role("region", name="Needs attention")
    expect(attention.get_by_role("row")).to_have_count(4)
    look_at(page, "projects-attention")
    attention.get_by_role("link", name="CodePush failed: No bundle in it.").click()
    expect(page.get_by_role("article").get_by_text("No bundle in it.")).to_be_in_viewport()
    page.goto(f"{live_server.url}/projects/")
    page.get_by_role("link", name="Active devices").click()
    expect(page.get_by_role("columnheader", name="Active devices")).to_have_attribute("aria-sort", "descending")
    look_at(page, "projects-by-devices")
    page.get_by_role("searchbox", name="Filter by name or bundle ID").fill("nothing like it")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No projects match.")).to_be_visible()
    look_at(page, "projects-filtered")
    page.goto(f"{live_server.url}/projects/kestrel-grocery/")
    look_at(page, "project-stalled")
    # The exact time is there for who has no pointer, too.
    created = page.get_by_role("main").locator("time[data-ago]").first
    created.focus()
    shown = created.evaluate("element => getComputedStyle(element, '::after').content")
    assert created.get_attribute("title") in shown
    assert complaints == []


def test_an_admin_manages_members_with_the_keyboard(
    page: Page, complaints: list[str], live_server: LiveServer, owner: User, project: Project, viewer: User
) -> None:
    UserFactory(username="nia", first_name="Nia", last_name="Okafor", email="nia@example.com")
    MembershipFactory(project=project, role=Role.RELEASE_MANAGER, user__is_active=False)
    sign_in(page, live_server, owner, at="/projects/northwind-outdoor/")
    page.get_by_role("link", name="Settings").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Members")).to_be_visible()
    look_at(page, "settings")
    page.get_by_role("link", name="Add member").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Username or e-mail address")).to_be_focused()
    page.keyboard.type("NIA@example.com")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    look_at(page, "member-new")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nia Okafor (nia) is a member now. Role: Release manager.")).to_be_visible()
    # What was done is not offered again.
    page.get_by_role("link", name="Add member").click()
    expect(page.get_by_label("Username or e-mail address")).to_have_value("")
    page.go_back()

    page.get_by_role("link", name="Change role Nia Okafor").click()
    page.get_by_role("radio", name="Admin").check()
    look_at(page, "member-role")
    page.get_by_role("dialog").get_by_role("button", name="Change role").click()
    expect(page.get_by_text("Nia Okafor has the Admin role.")).to_be_visible()
    page.get_by_role("link", name="Remove Vera Kaya").click()
    look_at(page, "member-remove")
    page.get_by_role("dialog").get_by_role("button", name="Remove Vera Kaya").click()
    expect(page.get_by_text("Vera Kaya is not a member any more.")).to_be_visible()
    assert complaints == []


def test_an_admin_edits_the_settings_and_leaves(
    page: Page, complaints: list[str], live_server: LiveServer, owner: User, project: Project
) -> None:
    MembershipFactory(project=project, role=Role.ADMIN)
    sign_in(page, live_server, owner, at=SETTINGS)
    page.wait_for_load_state("load")
    page.get_by_role("link", name="Edit settings").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Name").fill("")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("alert")).to_be_focused()
    look_at(page, "settings-edit-refused")
    page.get_by_label("Name").fill("Northwind Trails")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings of Northwind Trails are saved.")).to_be_visible()
    page.get_by_role("link", name="Leave Northwind Trails").click()
    look_at(page, "leave")
    page.get_by_role("button", name="Leave Northwind Trails").click()
    expect(page.get_by_text("No projects yet.")).to_be_visible()
    look_at(page, "projects-empty")
    assert complaints == []


def test_a_viewer_reads_the_settings(
    page: Page, complaints: list[str], live_server: LiveServer, owner: User, viewer: User, build: Build
) -> None:
    sign_in(page, live_server, viewer, at=SETTINGS)
    expect(page.get_by_text("You need the Admin role to change something here. Ask Olga Kaya.")).to_be_visible()
    expect(page.get_by_role("link", name="Add member")).to_have_count(0)
    look_at(page, "settings-viewer")
    page.goto(f"{live_server.url}/projects/northwind-outdoor/")
    look_at(page, "project-viewer")
    assert complaints == []


def test_the_account_and_its_theme(
    page: Page, complaints: list[str], live_server: LiveServer, viewer: User, project: Project
) -> None:
    sign_in(page, live_server, viewer)
    page.locator("summary").click()
    page.get_by_role("link", name="Account", exact=True).click()
    look_at(page, "account")
    page.get_by_role("button", name="Dark", exact=True).click()
    expect(page.get_by_role("button", name="Dark", exact=True)).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="System").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.wait_for_load_state("load")
    for link, name in (("Change password", "password"), ("Edit name and address", "profile")):
        page.get_by_role("link", name=link).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look_at(page, name)
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name=link)).to_be_focused()
    assert complaints == []


def test_pages_of_refusal_lead_on(
    page: Page, live_server: LiveServer, viewer: User, owner: User, outsider: User, build: Build
) -> None:
    page.goto(f"{live_server.url}/sign-in/")
    page.get_by_label("Username").fill("vera")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_focused()
    look_at(page, "sign-in-refused")
    sign_in(page, live_server, viewer, at=build_url(build, "codepush/new/"))
    expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
    look_at(page, "403")
    page.get_by_role("link", name="Go to projects").click()
    expect(page.get_by_role("heading", name="Projects", exact=True)).to_be_visible()
    page.goto(f"{live_server.url}/projects/elsewhere/")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    look_at(page, "404")
    page.goto(f"{live_server.url}/projects/?q=%00")
    look_at(page, "400")
