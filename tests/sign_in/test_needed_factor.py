"""A project, and this server's support, may ask for a second factor."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from builds.models import AuditEntry, Build, Project, Role
from release_api.tokens import create_token
from tests.deployments.pages import AsUser, assert_refused, build_url, text_of
from tests.release_api.caller import Caller
from tests.sign_in.apps import App, begin_sign_in, give_app, give_password, set_up_app

SETTINGS = "/projects/northwind-outdoor/settings/"


@pytest.fixture
def strict(project: Project) -> Project:
    project.needs_second_factor = True
    project.save()
    return project


def test_an_admin_with_a_factor_asks_for_it(as_user: AsUser, owner: User, viewer: User, project: Project) -> None:
    give_app(owner)
    client = as_user(owner)
    assert "1 member without one: Vera Kaya." in text_of(client.get(f"{SETTINGS}second-factor/"))
    client.post(f"{SETTINGS}second-factor/", {"needs_second_factor": "on"})
    assert "Members need one" in text_of(client.get(SETTINGS))
    entry = AuditEntry.objects.get(action="project.edited")
    assert (entry.before, entry.after) == ({"needs_second_factor": False}, {"needs_second_factor": True})
    client.post(f"{SETTINGS}second-factor/", {"needs_second_factor": "on"})
    assert AuditEntry.objects.filter(action="project.edited").count() == 1
    client.post(f"{SETTINGS}second-factor/", {})
    assert "Not asked for." in text_of(client.get(SETTINGS))


def test_an_admin_without_one_does_not_lock_themselves_out(as_user: AsUser, owner: User, project: Project) -> None:
    answer = as_user(owner).post(f"{SETTINGS}second-factor/", {"needs_second_factor": "on"})
    assert_refused(answer, 409, "You have no second factor yourself.")
    project.refresh_from_db()
    assert not project.needs_second_factor


def test_only_admins_decide_it(as_user: AsUser, release_manager: User, project: Project) -> None:
    assert as_user(release_manager).get(f"{SETTINGS}second-factor/").status_code == 403


def test_a_member_without_one_sees_only_how_to_get_one(
    as_user: AsUser, viewer: User, strict: Project, build: Build
) -> None:
    client = as_user(viewer)
    for address in ("/projects/northwind-outdoor/", SETTINGS, build_url(build), build_url(build, "cards/")):
        page = client.get(address)
        assert_refused(page, 403, "Northwind Outdoor needs a second factor")
        assert 'href="/account/app/"' in text_of(page)
    # Nor on pages across projects.
    AuditEntry.objects.create(project=strict, build=build, action="build.registered", actor_name="Elif", reason="known")
    for address in ("/deployments/", "/audit/", "/audit.csv", "/search/?q=3.0.0"):
        answer = client.get(address)
        content = b"".join(answer) if answer.streaming else answer.content
        assert b"3.0.0 #" not in content
        assert b"known" not in content
    listed = text_of(client.get("/projects/"))
    assert "1 project of yours asks for a second factor: Northwind Outdoor." in listed
    assert "Asks for a second factor" in text_of(client.get("/account/"))


def test_with_one_everything_is_as_before(viewer: User, strict: Project, build: Build) -> None:
    client, _ = begin_sign_in(give_password(viewer).username)
    assert client.get(build_url(build)).status_code == 403
    set_up_app(client)
    assert client.get(build_url(build)).status_code == 200
    assert "asks for a second factor" not in text_of(client.get("/projects/"))


def test_an_outsider_still_learns_nothing(as_user: AsUser, outsider: User, strict: Project) -> None:
    assert as_user(outsider).get("/projects/northwind-outdoor/").status_code == 404


def test_tokens_go_on_as_they_are(viewer: User, strict: Project, build: Build) -> None:
    _, text = create_token(actor=viewer, name="CI", role=Role.VIEWER)
    answer = Caller(text=text).get(f"/builds/{build.pk}")
    assert answer.status_code == 200
    assert Caller(text=text).get("/projects").json()["count"] == 1


def test_who_has_no_factor_makes_no_token_around_it(as_user: AsUser, viewer: User, strict: Project) -> None:
    form = {"name": "CI", "role": "viewer", "project": "*", "expires_in_days": "90"}
    client = as_user(viewer)
    assert "Northwind Outdoor" not in text_of(client.get("/account/tokens/new/"))
    assert_refused(client.post("/account/tokens/new/", form), 403, "Northwind Outdoor needs a second factor")
    assert not viewer.api_tokens.exists()
    give_app(viewer)
    assert client.post("/account/tokens/new/", form).status_code == 200
    assert viewer.api_tokens.count() == 1


def test_recovery_codes_alone_are_no_factor(as_user: AsUser, viewer: User, strict: Project) -> None:
    give_app(viewer)
    viewer.authenticator_set.filter(type="totp").delete()
    assert as_user(viewer).get("/projects/northwind-outdoor/").status_code == 403


def test_it_costs_no_query(
    as_user: AsUser, viewer: User, project: Project, build: Build, django_assert_num_queries: Any
) -> None:
    client = as_user(viewer)
    with django_assert_num_queries(6):
        client.get("/projects/northwind-outdoor/settings/")
    give_app(viewer)
    Project.objects.update(needs_second_factor=True)
    with django_assert_num_queries(6):
        client.get("/projects/northwind-outdoor/settings/")


@pytest.fixture
def strict_staff(settings: Settings) -> None:
    settings.STAFF_NEEDS_SECOND_FACTOR = True


@pytest.mark.usefixtures("strict_staff")
def test_staff_without_a_factor_find_the_admin_closed(staff: User, support: Client) -> None:
    answer = support.get("/admin/builds/build/", follow=True)
    assert_refused(answer, 403, "The admin needs a second factor")
    assert 'href="/account/app/"' in text_of(answer)
    assert support.post("/admin/auth/user/add/", {"username": "eve"}).status_code == 302
    give_app(staff)
    assert support.get("/admin/builds/build/").status_code == 200


def test_without_the_setting_staff_need_none(support: Client) -> None:
    assert support.get("/admin/").status_code == 200


def test_the_door_of_the_admin_asks_for_the_factor_as_well(staff: User) -> None:
    app: App = give_app(give_password(staff))
    client, led_to = begin_sign_in("sam", page="/admin/login/?next=/admin/builds/build/")
    assert led_to == "/sign-in/second-factor/"
    assert client.get("/admin/").status_code == 302
    answer = client.post(led_to, {"code": app.code()})
    assert answer.headers["Location"] == "/admin/builds/build/"
    assert client.get("/admin/").status_code == 200


def test_who_is_no_staff_is_told_so(as_user: AsUser, owner: User) -> None:
    assert_refused(as_user(owner).get("/admin/", follow=True), 403, "Only support staff may open the admin.")


def test_support_lets_in_who_lost_their_factor(support: Client, staff: User, viewer: User) -> None:
    give_app(give_password(viewer))
    authenticator = viewer.authenticator_set.get(type="totp")
    page = support.get(f"/admin/mfa/authenticator/{authenticator.pk}/change/")
    assert authenticator.data["secret"] not in text_of(page)
    form = {"action": "remove_second_factors", "_selected_action": authenticator.pk}
    assert "Make sure that it is they who ask." in text_of(support.post("/admin/mfa/authenticator/", form))
    support.post("/admin/mfa/authenticator/", {**form, "confirmed": "1"})
    _, led_to = begin_sign_in("vera")
    assert led_to == "/projects/"
    entry = AuditEntry.objects.get(action="account.factor_removed")
    assert (entry.actor, entry.before) == (staff, {"factor": "Authenticator app", "username": "vera"})


def test_what_allauth_keeps_for_itself_is_not_in_the_admin(support: Client) -> None:
    page = text_of(support.get("/admin/"))
    for path in ("/admin/account/", "/admin/socialaccount/socialapp/", "/admin/socialaccount/socialtoken/"):
        assert path not in page
