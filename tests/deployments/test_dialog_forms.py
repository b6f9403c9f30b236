"""The same address for htmx: the form without the page around it, and what becomes of it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from builds.models import Build, Project
from deployments.models import CodePush
from deployments.services.codepushes import edit_codepush
from tests.deployments.pages import AsUser, assert_refused, build_url, codepush_url, preview, report_installed, text_of
from tests.deployments.stories import small_archive
from tests.factories import CodePushFactory

HTMX = {"HX-Request": "true"}


@pytest.fixture
def live(build: Build) -> CodePush:
    """v3, after v1 and v2."""
    codepushes: list[CodePush] = CodePushFactory.create_batch(3, build=build)
    return codepushes[-1]


@pytest.fixture
def browser(as_user: AsUser, release_manager: User) -> Client:
    return as_user(release_manager)


def _addresses(live: CodePush) -> list[str]:
    older = live.build.codepushes.get(label_number=1)
    failed = CodePushFactory(build=live.build, status="failed")
    pending = CodePushFactory(build=live.build, status="pending", finished_at=None, duration_ms=None)
    project = live.build.project
    return [
        codepush_url(live, "edit"),
        codepush_url(live, "rollback"),
        codepush_url(older, "promote"),
        codepush_url(failed, "retry"),
        codepush_url(pending, "cancel"),
        build_url(live.build, "codepush/new/"),
        build_url(live.build, "store-status/"),
        f"/projects/{project.slug}/builds/new/",
        "/projects/new/",
    ]


def test_every_form_is_a_page_and_a_dialog(browser: Client, live: CodePush) -> None:
    for address in _addresses(live):
        page, dialog = browser.get(address), browser.get(address, headers=HTMX)
        assert (page.status_code, dialog.status_code) == (200, 200)
        assert ("<!doctype html>" in text_of(page), "<h1" in text_of(page)) == (True, True)
        assert ("<html" in text_of(dialog), "<h1" in text_of(dialog)) == (False, False)
        assert f'hx-post="{address}"' in text_of(dialog)
        # Neither is shown for the other out of a cache.
        assert "HX-Request" in page.headers["Vary"]
        assert dialog.headers["Cache-Control"] == "no-store"


def test_who_is_signed_out_is_told_where_to_sign_in(client: Client, live: CodePush) -> None:
    for response in (client.get(codepush_url(live, "edit"), headers=HTMX), client.post("/projects/new/", headers=HTMX)):
        assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/sign-in/?next=/projects/new/"


def test_what_is_done_leads_to_the_card(browser: Client, live: CodePush) -> None:
    fields = {"expected_live": "v3", "to": "v1", "rollout_percent": "100"}
    response = browser.post(codepush_url(live, "rollback"), fields, headers=HTMX)
    copy = CodePush.objects.get(label_number=4)
    assert response.status_code == 204
    assert response.headers["HX-Redirect"] == f"{build_url(live.build)}#{copy.deployment_id}"
    assert "Rolled back to v1. v4 is Live." in text_of(browser.get(build_url(live.build)))


def test_a_bad_value_comes_back_as_the_form(browser: Client, live: CodePush) -> None:
    fields = {"expected_live": "v3", "description": "Typed", "rollout_percent": "0"}
    response = browser.post(codepush_url(live, "edit"), fields, headers=HTMX)
    assert_refused(response, 422, "Rollout is 0; use a whole number from 1 to 100.")
    assert "Typed</textarea>" in text_of(response)
    assert "<html" not in text_of(response)


def test_a_rollback_of_what_was_replaced_offers_the_one_of_what_is_live(
    browser: Client, live: CodePush, owner: User
) -> None:
    edit_codepush(live.pk, actor=owner, is_enabled=False)
    fields = {"expected_live": "v3", "to": "v1", "rollout_percent": "100"}
    response = browser.post(codepush_url(live, "rollback"), fields, headers=HTMX)
    assert_refused(response, 409, "v2 became Live while this was open. Review again.")
    address = codepush_url(live.build.codepushes.get(label_number=2), "rollback")
    assert f'href="{address}" data-dialog>Review a rollback of v2</a>' in text_of(response)
    assert CodePush.objects.count() == 3


def test_where_nothing_can_be_rolled_back_there_is_no_next_step(browser: Client, live: CodePush, owner: User) -> None:
    for codepush in live.build.codepushes.exclude(label_number=1):
        edit_codepush(codepush.pk, actor=owner, is_enabled=False)
    response = browser.get(codepush_url(live, "rollback"), headers=HTMX)
    assert_refused(response, 409, "v3 is not Live (Live: v1).")
    assert "data-dialog" not in text_of(response)


def test_a_preview_does_nothing(browser: Client, live: CodePush) -> None:
    for address in (codepush_url(live, "rollback"), codepush_url(live, "edit"), build_url(live.build, "codepush/new/")):
        preview(browser, address, to="v1", rollout_percent="20", request_key="x")
    assert CodePush.objects.count() == 3
    live.refresh_from_db()
    assert live.rollout_percent == 100


def test_a_preview_copes_with_what_cannot_be_saved(browser: Client, live: CodePush) -> None:
    report_installed(live.build, "v1", 4)
    for percent in ("0", "101", "many", ""):
        told = preview(browser, codepush_url(live, "rollback"), to="v9", rollout_percent=percent)
        assert told


def test_an_upload_is_foretold_with_both_rollouts(browser: Client, live: CodePush) -> None:
    report_installed(live.build, "v3", 100)
    CodePush.objects.filter(pk=live.pk).update(rollout_percent=50)
    address = build_url(live.build, "codepush/new/")
    checked = "The bundle is checked first. Until that succeeds, nothing changes for devices."
    assert preview(browser, address, rollout_percent="100") == ["100 devices are offered it", checked]
    assert preview(browser, address, rollout_percent="20", is_mandatory="on") == [
        "20 of 100 devices are offered it",
        "20 of these must install it during the Splash Screen: it is mandatory",
        "40 devices outside the rollout are offered v3",
        "40 devices outside the rollout are offered v2",
        checked,
        "Counts under a rollout below 100% are about right: which devices it includes depends on their ids.",
    ]


def test_a_codepush_is_created_once(browser: Client, live: CodePush) -> None:
    address = build_url(live.build, "codepush/new/")
    shown = browser.get(address).context
    fields = {
        "request_key": str(shown["request_key"]),
        "expected_live": "v3",
        "build_target": live.build.build_target,
        "platform": live.build.platform,
        "rollout_percent": "100",
    }
    answers = [browser.post(address, {**fields, "bundle": small_archive()}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert CodePush.objects.filter(status="pending").count() == 1


def test_another_bundle_of_the_same_name_and_size_is_not_taken_for_the_first(browser: Client, live: CodePush) -> None:
    """As after Back: the form has the key that it had, and what was built since has the name that it had."""
    address = build_url(live.build, "codepush/new/")
    fields = {
        "request_key": str(browser.get(address).context["request_key"]),
        "expected_live": "v3",
        "build_target": live.build.build_target,
        "platform": live.build.platform,
        "rollout_percent": "100",
    }
    first, second = small_archive("one"), small_archive("two")
    assert first.size == second.size
    assert browser.post(address, {**fields, "bundle": first}).status_code == 303
    refused = browser.post(address, {**fields, "bundle": second})
    assert_refused(refused, 409, "This was sent before with other values")
    assert CodePush.objects.filter(status="pending").count() == 1


def test_a_refused_create_keeps_the_upload_and_the_key(browser: Client, project: Project, live: CodePush) -> None:
    address = build_url(live.build, "codepush/new/")
    fields = {
        "request_key": "one",
        "expected_live": "v1",
        "build_target": live.build.build_target,
        "platform": live.build.platform,
        "rollout_percent": "100",
    }
    refused = browser.post(address, {**fields, "bundle": small_archive()})
    assert_refused(refused, 409, "v3 became Live while this was open.")
    upload = refused.context["upload"].upload_id
    done = browser.post(address, {**fields, "expected_live": "v3", "upload": upload})
    assert done.status_code == 303
