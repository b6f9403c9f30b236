"""Tokens as pages: whose are shown to whom, and that the text is shown once."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from builds.models import Project, Role
from release_api.models import ApiToken
from release_api.tokens import create_token, is_well_formed, revoke_token
from tests.deployments.pages import AsUser, assert_refused, text_of

VALUES = {"name": "GitHub Actions", "role": "release_manager", "expires_in_days": "90"}


def _make(user: User, name: str, project: Project | None = None) -> ApiToken:
    return create_token(actor=user, name=name, role=Role.ADMIN, project=project)[0]


def test_the_text_is_shown_once_and_never_cached(as_user: AsUser, owner: User, project: Project) -> None:
    browser = as_user(owner)
    response = browser.post("/account/tokens/new/", {**VALUES, "project": project.slug})

    (text,) = set(re.findall(r"cpc_[0-9A-Za-z]{42}", text_of(response)))
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert is_well_formed(text)
    token = ApiToken.objects.get()
    assert (token.name, token.project, token.role, token.user) == ("GitHub Actions", project, "release_manager", owner)
    assert token.expires_at is not None
    listed = text_of(browser.get("/account/tokens/"))
    assert text not in listed
    assert f"cpc_…{text[-4:]}" in listed


def test_a_token_may_reach_all_projects_and_not_expire(as_user: AsUser, owner: User) -> None:
    as_user(owner).post("/account/tokens/new/", {**VALUES, "project": "*", "expires_in_days": "never"})
    token = ApiToken.objects.get()
    assert (token.project, token.expires_at) == (None, None)


def test_a_project_of_others_cannot_be_chosen(as_user: AsUser, outsider: User, project: Project) -> None:
    response = as_user(outsider).post("/account/tokens/new/", {**VALUES, "project": project.slug})
    assert response.status_code == 422
    assert project.name not in text_of(response)
    assert not ApiToken.objects.exists()


def test_a_wrong_value_is_refused_with_the_field(as_user: AsUser, owner: User) -> None:
    assert_refused(as_user(owner).post("/account/tokens/new/", {**VALUES, "name": " "}), 422, "This field is required.")
    assert not ApiToken.objects.exists()


def test_everybody_sees_and_revokes_ones_own_only(as_user: AsUser, owner: User, viewer: User) -> None:
    mine, theirs = _make(owner, "Mine"), _make(viewer, "Theirs")
    browser = as_user(owner)
    assert "Mine" in text_of(browser.get("/account/tokens/"))
    assert "Theirs" not in text_of(browser.get("/account/tokens/"))
    assert browser.post(f"/account/tokens/{theirs.pk}/revoke/").status_code == 404
    assert browser.post(f"/account/tokens/{mine.pk}/revoke/").status_code == 303
    assert set(ApiToken.objects.exclude(revoked_at=None)) == {mine}
    assert "Revoked" in text_of(browser.get("/account/tokens/"))


def test_admins_see_and_revoke_those_made_for_the_project(
    as_user: AsUser, owner: User, release_manager: User, project: Project
) -> None:
    token, everywhere = _make(release_manager, "Pipeline", project), _make(release_manager, "Everywhere")
    browser, address = as_user(owner), f"/projects/{project.slug}/tokens/"
    page = text_of(browser.get(address))
    assert "Pipeline" in page
    assert "Elif Kaya" in page
    assert "Everywhere" not in page
    assert browser.post(f"{address}{everywhere.pk}/revoke/").status_code == 404
    assert browser.post(f"{address}{token.pk}/revoke/").status_code == 303
    assert set(ApiToken.objects.exclude(revoked_at=None)) == {token}


def test_an_admin_makes_a_token_for_the_project(as_user: AsUser, owner: User, project: Project) -> None:
    response = as_user(owner).post(f"/projects/{project.slug}/tokens/new/", VALUES)
    assert "Northwind Outdoor only" in text_of(response)
    assert ApiToken.objects.get().project == project


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_costs_the_same_however_long_it_is(as_user: AsUser, owner: User, project: Project, count: int) -> None:
    for number in range(count):
        _make(owner, f"Token {number}", project)
    revoke_token(ApiToken.objects.latest("pk"), actor=owner)
    browser = as_user(owner)
    for address in ("/account/tokens/", f"/projects/{project.slug}/tokens/"):
        browser.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert text_of(browser.get(address)).count("<tr>") == count + 1
        # Session, person, running updates, rows, their number; on the project's page its membership.
        assert len(queries) <= 6
