"""Tokens: what they look like, what is kept of them, and what they open."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from builds.errors import InvalidInput
from builds.models import AuditEntry, Build, Project, Role
from release_api import tokens
from release_api.models import ApiToken
from tests.deployments.stories import audited
from tests.factories import MembershipFactory, ProjectFactory
from tests.release_api.caller import Caller, assert_error


def test_secret_scanners_can_recognise_a_token(owner: User) -> None:
    _, text = tokens.create_token(actor=owner, name="CI", role=Role.ADMIN)

    assert re.fullmatch(r"cpc_[0-9A-Za-z]{42}", text)
    assert tokens.is_well_formed(text)
    look_alike = text[:10] + ("a" if text[10] != "a" else "b") + text[11:]
    assert not tokens.is_well_formed(look_alike)


def test_the_text_of_a_token_is_not_kept(owner: User) -> None:
    token, text = tokens.create_token(actor=owner, name="CI", role=Role.ADMIN)

    kept = ApiToken.objects.filter(pk=token.pk).values().get()
    assert [name for name, value in kept.items() if text in str(value)] == []
    assert kept["ending"] == text[-4:]


def test_what_is_no_token_costs_no_query(db: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        for text in ("", "cpc_", "cpc_" + "0" * 42, "é" * 46, "x" * 10_000):
            assert tokens.find_user(text, address="") is None
    assert len(queries) == 0


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"role": "king"}, "role"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 3651}, "expires_in_days"),
    ],
)
def test_a_token_with_a_wrong_value_is_not_made(owner: User, values: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        tokens.create_token(actor=owner, **({"name": "CI", "role": Role.ADMIN} | values))  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert not ApiToken.objects.exists()


def test_a_token_for_a_project_of_others_is_not_made(outsider: User, project: Project) -> None:
    with pytest.raises(InvalidInput, match="not a member"):
        tokens.create_token(actor=outsider, name="CI", role=Role.ADMIN, project=project)


def test_making_and_revoking_are_in_the_log_of_each_project_it_reaches(owner: User, project: Project) -> None:
    other = ProjectFactory()
    MembershipFactory(user=owner, project=other)
    with audited("token.created", "token.created", "token.revoked", "token.revoked"):
        token, _ = tokens.create_token(actor=owner, name="CI", role=Role.VIEWER)
        tokens.revoke_token(token, actor=owner)
        tokens.revoke_token(token, actor=owner)
    with audited("token.created"):
        tokens.create_token(actor=owner, name="CI", role=Role.VIEWER, project=other)
    newest = AuditEntry.objects.latest("pk")
    assert (newest.project, newest.after["role"]) == (other, "viewer")


def test_the_audit_log_says_which_token_acted(owner: User, build: Build) -> None:
    Caller(owner).post(f"/builds/{build.pk}/store-status", {"store_status": "live"})

    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.actor_name) == (owner, "Olga Kaya (token CI)")


def test_last_use_is_noted_with_its_address_at_most_once_a_minute(owner: User) -> None:
    caller = Caller(owner)

    def use() -> ApiToken:
        assert caller.get("/projects").status_code == 200
        return ApiToken.objects.get(pk=caller.token.pk)

    first = use()
    assert first.last_used_address == "127.0.0.1"
    assert use().last_used_at == first.last_used_at
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61), last_used_address="10.0.0.1")
    assert use().last_used_address == "127.0.0.1"


def _spoil(caller: Caller, how: str) -> None:
    match how:
        case "expired":
            ApiToken.objects.update(expires_at=timezone.now())
        case "revoked":
            tokens.revoke_token(caller.token, actor=caller.token.user)
        case "person switched off":
            User.objects.update(is_active=False)
        case "not a token":
            caller.headers["Authorization"] = "Bearer nonsense"
        case "unknown":
            caller.headers["Authorization"] = "Bearer " + tokens._make_text()
        case "other scheme":
            caller.headers["Authorization"] = caller.headers["Authorization"].replace("Bearer", "Basic")
        case "none":
            caller.headers.clear()


@pytest.mark.parametrize(
    "how", ["expired", "revoked", "person switched off", "not a token", "unknown", "other scheme", "none"]
)
def test_without_a_valid_token_nothing_is_told(api: Caller, build: Build, how: str) -> None:
    _spoil(api, how)
    answers = [api.get(f"/builds/{build.pk}"), api.get("/builds/999999"), api.patch(f"/builds/{build.pk}", {"x": 1})]
    for answer in answers:
        assert_error(answer, 401, "unauthorized", "valid token")
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="CodePush release API"')
    assert len({answer.content for answer in answers}) == 1


def test_a_foreign_token_cannot_tell_what_exists(outsider: User, build: Build) -> None:
    caller = Caller(outsider)
    there, nowhere = caller.get(f"/builds/{build.pk}"), caller.get("/builds/999999")
    assert_error(there, 404, "not_found")
    assert there.json()["error"]["message"].replace(str(build.pk), "N") == nowhere.json()["error"]["message"].replace(
        "999999", "N"
    )
    assert_error(caller.get(f"/projects/{build.project.slug}/builds"), 404, "not_found")


def test_a_token_of_one_project_reaches_no_other(owner: User, build: Build) -> None:
    other = ProjectFactory()
    MembershipFactory(user=owner, project=other, role=Role.ADMIN)
    caller = Caller(owner, project=other)

    assert_error(caller.get(f"/builds/{build.pk}"), 404, "not_found")
    assert [project["slug"] for project in caller.get("/projects").json()["items"]] == [other.slug]
    assert_error(caller.post("/projects", {"name": "Third"}), 403, "forbidden", "for all projects")


@pytest.mark.parametrize(("member_role", "token_role"), [("viewer", "admin"), ("admin", "viewer")])
def test_a_token_may_do_what_both_it_and_its_person_may(build: Build, member_role: str, token_role: str) -> None:
    user: User = MembershipFactory(project=build.project, role=member_role).user
    caller = Caller(user, role=token_role)

    assert caller.get(f"/builds/{build.pk}").status_code == 200
    answer = caller.post(f"/builds/{build.pk}/store-status", {"store_status": "live"})
    assert_error(answer, 403, "forbidden", "Release manager")


def test_a_token_ends_with_the_membership_of_its_person(owner: User, build: Build) -> None:
    caller = Caller(owner, project=build.project)
    assert caller.get(f"/builds/{build.pk}").status_code == 200
    owner.memberships.all().delete()
    assert_error(caller.get(f"/builds/{build.pk}"), 404, "not_found")
