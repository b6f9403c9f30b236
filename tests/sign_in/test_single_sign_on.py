"""Signing in by an identity provider, end to end: a real one, on loopback."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from builds.models import AuditEntry
from tests.deployments.pages import assert_refused, text_of
from tests.factories import UserFactory
from tests.sign_in.apps import give_app
from tests.sign_in.provider import CLIENT_ID, CLIENT_SECRET, Provider

VERA = {"sub": "1", "email": "Vera@example.com", "email_verified": True, "given_name": "Vera", "family_name": "Lind"}


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    provider = Provider()
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def provider(running: Provider, settings: Settings) -> Provider:
    """Configured as the environment would."""
    settings.OIDC_ISSUER, settings.OIDC_NAME = running.issuer, "Northwind ID"
    app = {
        "provider_id": "sso",
        "name": "Northwind ID",
        "client_id": CLIENT_ID,
        "secret": CLIENT_SECRET,
        "settings": {"server_url": running.issuer},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {**settings.SOCIALACCOUNT_PROVIDERS["openid_connect"], "APPS": [app]}
    }
    running.person, running.info, running.error = dict(VERA), {}, ""
    running.refused.clear()
    return running


@pytest.fixture
def vera(viewer: User) -> User:
    viewer.email = "vera@example.com"
    viewer.save()
    return viewer


def sign_in(client: Client, *, next_page: str = "") -> Any:
    """By the link of the sign-in page, as a browser follows it to the provider and back."""
    away = client.get("/sign-in/sso/", {"next": next_page} if next_page else {})
    assert away.status_code == 302, text_of(away)
    back = httpx.get(away.headers["Location"], follow_redirects=False).headers["Location"]
    assert back.startswith("http://testserver/sign-in/sso/callback/?")
    return client.get(back.removeprefix("http://testserver"))


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_the_sign_in_page_offers_it_where_it_is_set_up(client: Client, db: None, provider: Provider) -> None:
    page = text_of(client.get("/sign-in/?next=/deployments/"))
    assert "Sign in with Northwind ID" in page
    assert 'href="/sign-in/sso/?next=%2Fdeployments%2F"' in page


def test_elsewhere_there_is_none(client: Client, db: None) -> None:
    assert "Sign in with" not in text_of(client.get("/sign-in/"))
    assert client.get("/sign-in/sso/").status_code == 404
    assert client.get("/sign-in/sso/callback/").status_code == 404


def test_a_verified_address_is_linked_to_its_account(client: Client, vera: User, provider: Provider) -> None:
    answer = sign_in(client, next_page="/deployments/")
    assert answer.headers["Location"] == "/deployments/"
    assert is_signed_in(client)
    assert provider.refused == []
    assert SocialAccount.objects.get().user == vera
    assert User.objects.count() == 1
    entry = AuditEntry.objects.get(action="account.linked")
    assert (entry.actor, entry.after) == (vera, {"email": "Vera@example.com", "by": "Northwind ID"})
    # From then on it is the provider's name for the person that counts, whatever their address.
    provider.person["email"] = "married@example.com"
    again = Client()
    sign_in(again)
    assert is_signed_in(again)
    assert AuditEntry.objects.filter(action="account.linked").count() == 1


@pytest.mark.parametrize("verified", [False, None, "true", "false", 1])
def test_an_address_that_is_not_verified_opens_nothing(
    client: Client, vera: User, provider: Provider, settings: Settings, verified: object
) -> None:
    settings.OIDC_CREATES_ACCOUNTS = True
    provider.person["email_verified"] = verified
    assert_refused(sign_in(client), 403, "Northwind ID has not verified your e-mail address")
    assert not is_signed_in(client)
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


def test_who_does_not_exist_yet_stays_out(client: Client, db: None, provider: Provider) -> None:
    assert_refused(sign_in(client), 403, "Nobody here has the address Vera@example.com.")
    assert not User.objects.exists()


def test_where_the_operator_wants_that_they_get_an_account_without_a_role(
    client: Client, db: None, provider: Provider, settings: Settings
) -> None:
    settings.OIDC_CREATES_ACCOUNTS = True
    assert sign_in(client).headers["Location"] == "/projects/"
    vera = User.objects.get()
    assert (vera.username, vera.get_full_name(), vera.is_staff) == ("vera@example.com", "Vera Lind", False)
    assert not vera.has_usable_password()
    assert not vera.memberships.exists()
    assert "You are a member of no project." in text_of(client.get("/account/"))
    actions = AuditEntry.objects.values_list("action", flat=True).order_by("id")
    assert list(actions) == ["account.created", "account.linked"]
    # Without a password to confirm, they can still set up a second factor.
    assert client.get("/account/app/").status_code == 200
    assert_refused(client.get("/account/password/"), 409, "You sign in without a password.")


def test_several_accounts_with_the_address_are_nobody(client: Client, vera: User, provider: Provider) -> None:
    UserFactory(email="VERA@example.com")
    assert_refused(sign_in(client), 403, "Several accounts here have the address")


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_switched_off_account_stays_out(client: Client, vera: User, provider: Provider, is_linked: bool) -> None:
    if is_linked:
        sign_in(Client())
    User.objects.update(is_active=False)
    assert_refused(sign_in(client), 403, "This account is switched off.")
    assert not is_signed_in(client)


def test_the_second_factor_is_asked_for(client: Client, vera: User, provider: Provider) -> None:
    app = give_app(vera)
    assert sign_in(client).headers["Location"] == "/sign-in/second-factor/"
    assert not is_signed_in(client)
    client.post("/sign-in/second-factor/", {"code": app.code()})
    assert is_signed_in(client)


def test_an_answer_for_somebody_else_is_refused(client: Client, vera: User, provider: Provider) -> None:
    provider.person["email"] = "other@example.com"
    provider.info = {"sub": "2", "email": "vera@example.com"}
    assert_refused(sign_in(client), 403, "Northwind ID named two different people.")
    assert not is_signed_in(client)


def test_what_is_said_for_another_client_or_by_another_provider_is_refused(
    client: Client, vera: User, provider: Provider
) -> None:
    for claim in ({"aud": "another"}, {"iss": "https://evil.example"}, {"exp": 1}):
        provider.person = {**VERA, **claim}
        assert_refused(sign_in(client), 403, "Signing in by Northwind ID did not work.")
    assert not is_signed_in(client)


def test_who_gives_up_at_the_provider_is_told(client: Client, vera: User, provider: Provider) -> None:
    provider.error = "access_denied"
    assert_refused(sign_in(client), 403, "Signing in by Northwind ID did not work.")


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(client: Client, vera: User, provider: Provider) -> None:
    away = Client().get("/sign-in/sso/").headers["Location"]
    back = httpx.get(away, follow_redirects=False).headers["Location"].removeprefix("http://testserver")
    assert_refused(client.get(back), 403, "Signing in by Northwind ID did not work.")
    assert not is_signed_in(client)


def test_an_answer_is_taken_once(client: Client, vera: User, provider: Provider) -> None:
    away = client.get("/sign-in/sso/").headers["Location"]
    back = httpx.get(away, follow_redirects=False).headers["Location"].removeprefix("http://testserver")
    client.get(back)
    client.post("/sign-out/")
    client.get(back)
    assert not is_signed_in(client)


def test_a_provider_that_is_away_is_no_fault_of_ours(
    client: Client, db: None, provider: Provider, settings: Settings
) -> None:
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"] = {"server_url": "http://127.0.0.1:1"}
    assert_refused(client.get("/sign-in/sso/"), 403, "Signing in by Northwind ID did not work.")


@pytest.mark.parametrize("next_page", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/a\r\nb: c"])
def test_it_leads_nowhere_else(client: Client, vera: User, provider: Provider, next_page: str) -> None:
    answer = sign_in(client, next_page=next_page)
    assert answer.status_code == 302
    assert "evil" not in answer.headers["Location"]
    assert "\n" not in answer.headers["Location"]


def test_a_provider_that_talks_nonsense_is_no_fault_of_ours(
    client: Client, db: None, provider: Provider, settings: Settings
) -> None:
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    for address in ("/userinfo/.well-known/x", "/keys?/.well-known/"):
        app["settings"] = {"server_url": provider.issuer + address}
        assert_refused(client.get("/sign-in/sso/"), 403, "Signing in by Northwind ID did not work.")


@pytest.mark.parametrize("query", [{"process": "connect"}, {"process": "redirect"}, {"scope": "offline_access"}])
def test_the_address_does_not_choose_what_is_asked_of_the_provider(
    client: Client, vera: User, provider: Provider, query: dict[str, str]
) -> None:
    away = client.get("/sign-in/sso/", query).headers["Location"]
    assert "offline_access" not in away
    back = httpx.get(away, follow_redirects=False).headers["Location"].removeprefix("http://testserver")
    assert client.get(back).headers["Location"] == "/projects/"
    assert is_signed_in(client)
