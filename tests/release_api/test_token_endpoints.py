"""Tokens listed and revoked over the API, and made by a command."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from builds.models import Project, Role
from release_api.models import ApiToken
from tests.release_api.caller import Caller, assert_error


def test_a_token_sees_those_of_its_person_only(api: Caller, owner: User, viewer: User, project: Project) -> None:
    Caller(viewer)
    limited = Caller(owner, project=project)

    listed = api.get("/tokens").json()
    assert [(each["project"], each["is_current"]) for each in listed["items"]] == [(project.slug, False), (None, True)]
    assert limited.get("/tokens").json()["count"] == 1


def test_a_token_revokes_another_of_its_person(api: Caller, owner: User) -> None:
    other = Caller(owner)
    answer = api.delete(f"/tokens/{other.token.fingerprint}")
    assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    assert_error(other.get("/projects"), 401, "unauthorized")


def test_a_token_revokes_none_of_others(api: Caller, viewer: User) -> None:
    other = Caller(viewer)
    assert_error(api.delete(f"/tokens/{other.token.fingerprint}"), 404, "not_found")
    assert other.get("/projects").status_code == 200


def test_a_token_does_not_lock_itself_out(api: Caller) -> None:
    assert_error(api.delete(f"/tokens/{api.token.fingerprint}"), 409, "conflict", "Revoke it at the dashboard")


def test_a_token_of_a_lower_role_revokes_none(api: Caller, owner: User) -> None:
    lower = Caller(owner, role=Role.RELEASE_MANAGER)
    assert_error(lower.delete(f"/tokens/{api.token.fingerprint}"), 403, "forbidden", "Admin role")
    assert api.get("/projects").status_code == 200


def _run(**options: object) -> str:
    output = StringIO()
    call_command("create_token", stdout=output, **options)
    return output.getvalue()


def test_the_command_prints_the_token_and_nothing_else(owner: User, project: Project) -> None:
    text = _run(user="olga", project=project.slug, role="viewer", expires_days=7)

    assert text.endswith("\n")
    token = ApiToken.objects.get()
    assert (token.user, token.project, token.role) == (owner, project, "viewer")
    assert token.expires_at is not None
    assert Caller(text=text.strip()).get("/projects").status_code == 200


def test_without_options_the_token_may_do_what_its_person_may(owner: User) -> None:
    caller = Caller(text=_run(user="olga").strip())
    assert caller.post("/projects", {"name": "Winter"}).status_code == 201


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"user": "nobody"}, "no user 'nobody'"),
        ({"user": "olga", "project": "nothing"}, "no project 'nothing'"),
        ({"user": "olga", "project": "elsewhere"}, "not a member"),
        ({"user": "olga", "expires_days": 0}, "0 days"),
    ],
)
def test_the_command_says_what_is_wrong(owner: User, outsider: User, options: dict[str, object], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        _run(**options)
    assert not ApiToken.objects.exists()
