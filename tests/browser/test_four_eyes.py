"""Two people and a production change: asked for in a dialog, reviewed by the other, with and without scripts."""

import re

from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from builds.models import Project
from deployments.models import ChangeRequest
from deployments.services.approvals import ask_for_force_update, ask_to_promote
from tests.browser.people import leave, sign_in
from tests.browser.screens import look_at
from tests.browser.storybook import write_storybook
from tests.deployments.pages import build_url
from tests.deployments.stories import live_label, release
from tests.factories import BuildFactory, CodePushFactory
from tests.signing import make_key, pack, public_pem, sign


def test_a_change_of_production_takes_two_people(
    page: Page, complaints: list[str], live_server: LiveServer, transactional_db: None
) -> None:
    book = write_storybook()
    asker, approver = book.release_manager, User.objects.get(first_name="Mert")
    sign_in(page, live_server, User.objects.get(first_name="Olga"), at=f"/projects/{book.project.slug}/settings/")
    page.get_by_role("link", name="Second person setting").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Production changes need a second person").check()
    look_at(page, "dialog-second-person")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("needs a second person now")).to_be_visible()
    look_at(page, "settings-second-person")

    leave(page)
    sign_in(page, live_server, asker, at=build_url(book.build))
    page.get_by_role("link", name="Edit v5").click()
    expect(dialog.get_by_role("button", name="Save changes")).to_be_visible()
    dialog.get_by_label("Rollout", exact=True).fill("90")
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Ask for approval")).to_be_visible()
    expect(dialog.get_by_text("First it waits for approval by a second person")).to_be_visible()
    look_at(page, "dialog-edit-asks")
    dialog.get_by_role("button", name="Ask for approval").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Say why, for the other person.")
    dialog.get_by_label("Reason").fill("No crashes since Monday")
    dialog.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("Asked for approval: v5: rollout 75% → 90%.")).to_be_visible()
    expect(page.get_by_role("article", name="v5").get_by_role("link", name="Withdraw")).to_be_visible()
    look_at(page, "build-waits")

    leave(page)
    sign_in(page, live_server, approver, at="/projects/")
    look_at(page, "projects-waiting")
    page.get_by_role("link", name=re.compile("^Waiting for approval: v5")).click()
    page.get_by_role("article", name="v5").get_by_role("link", name=re.compile("^Review")).click()
    expect(dialog.get_by_text("more devices are meant to get v5")).to_be_visible()
    look_at(page, "dialog-review")
    dialog.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved: v5: rollout 75% → 90%. It is done.")).to_be_visible()
    assert ChangeRequest.objects.get().status == "approved"
    assert complaints == []


def test_an_upload_and_force_update_wait_and_are_refused(
    page: Page, complaints: list[str], live_server: LiveServer, transactional_db: None
) -> None:
    book = write_storybook()
    Project.objects.filter(pk=book.project.pk).update(needs_second_person=True)
    approver = User.objects.get(first_name="Mert")
    CodePushFactory(build=book.build, status="waiting", label_number=None, bundle=book.releases[0].bundle)
    replaced = book.project.builds.get(store_version="4.1.2")
    ask_for_force_update(replaced.pk, actor=book.release_manager, reason="Its server goes away in May")
    ask_to_promote(book.releases[0].pk, actor=book.release_manager, reason="The old search was better")
    sign_in(page, live_server, approver, at=build_url(replaced))
    panel = page.get_by_role("region", name="Force Update")
    panel.get_by_role("link", name="Review Force Update").click()
    dialog = page.get_by_role("dialog")
    look_at(page, "dialog-review-force-update")
    dialog.get_by_role("link", name="Refuse").click()
    dialog.get_by_label("Reason").fill("After the holidays")
    look_at(page, "dialog-refuse")
    dialog.get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("Refused: Force Update. Nothing has changed for devices.")).to_be_visible()
    page.goto(f"{live_server.url}{build_url(book.build)}")
    look_at(page, "build-upload-waits")
    page.get_by_role("link", name="Promote v1 at 100%", exact=True).first.click()
    look_at(page, "dialog-review-promotion")
    assert complaints == []


def test_it_works_without_scripts(
    browser: Browser, live_server: LiveServer, release_manager: User, colleague: User, project: Project
) -> None:
    project.needs_second_person = True
    project.save()
    build = BuildFactory(project=project)
    first = CodePushFactory(build=build)
    CodePushFactory(build=build)
    for person, steps in ((release_manager, "ask"), (colleague, "approve")):
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        sign_in(page, live_server, person, at=build_url(build))
        if steps == "ask":
            page.get_by_role("link", name="Promote v1").click()
            page.get_by_label("Reason").fill("Was fine")
            page.get_by_role("button", name="Ask for approval").click()
            expect(page.get_by_text("Asked for approval: Promote v1 at 100%.")).to_be_visible()
        else:
            page.get_by_role("link", name=re.compile("^Review")).first.click()
            expect(page.get_by_text("What will happen")).to_be_visible()
            page.get_by_role("button", name="Approve").click()
            expect(page.get_by_text("Approved: Promote v1 at 100%. It is done.")).to_be_visible()
        context.close()
    assert live_label(build) == "v3"
    assert first.label == "v1"


def test_a_key_is_registered_and_a_bundle_is_signed(
    page: Page, complaints: list[str], live_server: LiveServer, owner: User, project: Project
) -> None:
    build = BuildFactory(project=project)
    sign_in(page, live_server, owner, at=f"/projects/{project.slug}/settings/")
    page.get_by_role("link", name="Signing key setting").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Public key").fill("rubbish")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("This is no public key in PEM.")
    dialog.get_by_label("Public key").fill(public_pem(make_key()))
    look_at(page, "dialog-signing-key")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("must be signed now")).to_be_visible()
    look_at(page, "settings-signing-key")
    release(build, owner, pack(sign()))
    page.goto(f"{live_server.url}{build_url(build)}")
    expect(page.get_by_role("article", name="v1").get_by_text("Signed")).to_be_visible()
    look_at(page, "build-signed")
    assert complaints == []
