"""Tokens in the admin: support staff see whose they are and revoke them, and never what opens anything."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from builds.models import AuditAction, AuditEntry, Project, Role
from release_api.models import ApiToken
from release_api.tokens import create_token, revoke_token
from tests.admin import act, assert_is_view_only, count_list_queries, get_page, search
from tests.deployments.stories import audited
from tests.factories import UserFactory
from tests.release_api.caller import Caller

TOKENS = "/admin/release_api/apitoken/"


@pytest.fixture
def token(owner: User, project: Project) -> ApiToken:
    made, _ = create_token(actor=owner, name="GitHub Actions", role=Role.RELEASE_MANAGER, project=project)
    ApiToken.objects.filter(pk=made.pk).update(last_used_at=timezone.now(), last_used_address="198.51.100.7")
    made.refresh_from_db()
    return made


def test_a_token_is_found_by_what_support_is_told(support: Client, token: ApiToken, viewer: User) -> None:
    create_token(actor=viewer, name="Laptop", role=Role.VIEWER)
    for words in (
        "GitHub",
        token.ending,
        token.fingerprint,
        token.user.username,
        "northwind",
        "198.51.100.7",
    ):
        assert search(support, TOKENS, words) == 1, words
    assert search(support, TOKENS, "nothing") == 0


def test_the_pages_show_last_use_and_no_hash(support: Client, token: ApiToken) -> None:
    for address in (TOKENS, f"{TOKENS}{token.pk}/change/"):
        page = get_page(support, address)
        assert "198.51.100.7" in page
        assert f"…{token.ending}" in page
        assert token.digest not in page
    assert token.fingerprint in page


def test_tokens_are_view_only(support: Client, token: ApiToken) -> None:
    assert_is_view_only(support, TOKENS, token.pk)


def test_revoking_asks_first_then_closes_the_door_and_is_audited(support: Client, staff: User, owner: User) -> None:
    caller = Caller(owner)
    assert "That cannot be taken back." in act(support, TOKENS, "revoke", caller.token)
    assert caller.get("/projects").status_code == 200

    with audited(AuditAction.TOKEN_REVOKED):
        page = act(support, TOKENS, "revoke", caller.token, confirmed=True)

    assert f"Token “CI” (…{caller.token.ending}) is revoked." in page
    assert caller.get("/projects").status_code == 401
    assert AuditEntry.objects.get(action=AuditAction.TOKEN_REVOKED).actor == staff


def test_staff_who_may_only_look_cannot_revoke(token: ApiToken) -> None:
    looker = UserFactory(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_apitoken"))
    client = Client()
    client.force_login(looker)
    assert "198.51.100.7" in get_page(client, TOKENS)
    act(client, TOKENS, "revoke", token, confirmed=True)
    token.refresh_from_db()
    assert token.revoked_at is None


@pytest.mark.parametrize("state", ["active", "expired", "revoked"])
def test_tokens_are_filtered_by_state(support: Client, owner: User, state: str) -> None:
    for name in ("active", "expired", "revoked"):
        made, _ = create_token(actor=owner, name=f"token-{name}", role=Role.ADMIN, expires_in_days=1)
        if name == "expired":
            ApiToken.objects.filter(pk=made.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        if name == "revoked":
            revoke_token(made, actor=owner)
    page = get_page(support, TOKENS, state=state)
    assert [name for name in ("active", "expired", "revoked") if f"token-{name}" in page] == [state]


def test_a_list_costs_the_same_however_long_it_is(support: Client, owner: User, project: Project) -> None:
    def add() -> None:
        create_token(actor=owner, name="CI", role=Role.ADMIN, project=project)

    few, many = (count_list_queries(support, TOKENS, add, rows=rows) for rows in (1, 20))
    assert few == many
