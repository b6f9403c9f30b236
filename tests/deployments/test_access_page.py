"""Who may see and do what, on every page there is."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from builds import urls as build_urls
from builds.audit import record
from builds.models import AuditAction, AuditEntry, Build, Role
from deployments import urls as deployment_urls
from deployments.models import ChangeRequest, CodePush
from metrics import urls as metrics_urls
from metrics.aggregation import hash_client
from release_api import urls as token_urls
from release_api.models import ApiToken
from release_api.tokens import create_token
from sign_in import urls as sign_in_urls
from tests.deployments.pages import AsUser, codepush_url, report_installed, text_of
from tests.factories import (
    BuildFactory,
    CodePushFactory,
    DeliveryFactory,
    InvitationFactory,
    MembershipFactory,
    WebhookFactory,
)
from webhooks import urls as webhook_urls
from webhooks.models import Delivery

# Open to everybody who is signed in; they show nothing of a project that is not theirs.
WITHOUT_PROJECT = {
    "project_list",
    "project_new",
    "deployment_list",
    "deployment_rows",
    "search",
    "audit_list",
    "audit_export",
    "account",
    "account_edit",
    "account_email_change",
    "account_email_confirm",
    "account_password",
    "account_reauthenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_add_webauthn",
    "mfa_remove_webauthn",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "session_end",
    "sessions_end",
    "token_list",
    "token_new",
    "token_revoke",
}
# Of these, those that list something of projects.
WITH_LIST = {
    "project_list",
    "deployment_list",
    "deployment_rows",
    "search",
    "audit_list",
    "audit_export",
    "account",
    "token_new",
}
# Open to everybody: what leads in, and out.
OPEN = {
    "sign_in",
    "account_login",
    "mfa_authenticate",
    "sign_in_sso",
    "openid_connect_callback",
    "password_forgotten",
    "password_reset",
    "sign_out",
    "invitation",
}
POST_ONLY = {"session_end", "sessions_end"}
READ_ONLY = {
    "project_settings",
    "project_detail",
    "project_rows",
    "build_detail",
    "build_cards",
    "codepush_log",
    "codepush_compare_pick",
    "codepush_compare",
    "adoption_numbers",
    "adoption_picture",
    "adoption",
    "failures",
    "device_list",
    "device_export",
    "device_detail",
    "explain",
    "webhook_list",
    "webhook_detail",
    "webhook_delivery",
    "project_token_list",
}
# What changes who may do what.
FOR_ADMINS = {
    "project_edit",
    "project_second_factor",
    "project_second_person",
    "project_signing_key",
    "member_new",
    "member_invite",
    "invitation_again",
    "invitation_revoke",
    "member_role",
    "member_remove",
    "project_token_list",
    "project_token_new",
    "project_token_revoke",
    "webhook_new",
    "webhook_edit",
    "webhook_pause",
    "webhook_resume",
    "webhook_secret",
    "webhook_test",
    "webhook_delete",
    "delivery_replay",
    "project_delete",
}
# What every member may do, and is audited.
FOR_MEMBERS = {"build_key", "project_leave"}
# They cannot redirect their page; they tell htmx to reload it.
FRAGMENTS = {"build_cards", "deployment_rows", "project_rows", "codepush_upload"}
EVERY_PATTERN = [
    pattern
    for urls in (build_urls, sign_in_urls, deployment_urls, metrics_urls, token_urls, webhook_urls)
    for pattern in urls.urlpatterns
    if isinstance(pattern, URLPattern) and pattern.name not in OPEN
]
# Of a deleted project: its admins see the form, and nobody of one that is there (test_delete_project).
PATTERNS = [pattern for pattern in EVERY_PATTERN if pattern.name not in {*WITHOUT_PROJECT, "project_restore"}]


def named(patterns: list[URLPattern]) -> list[str]:
    return [str(pattern.name) for pattern in patterns]


def _address(pattern: URLPattern, codepush: CodePush) -> str:
    values = {
        "slug": codepush.build.project.slug,
        "build_id": codepush.build_id,
        "deployment_id": codepush.deployment_id,
        "other_id": codepush.deployment_id,
        "client_hash": hash_client("device 0"),
        "webhook_id": codepush.build.project.webhooks.values_list("pk", flat=True).first() or 0,
        "delivery_id": Delivery.objects.values_list("pk", flat=True).first() or 0,
        "membership_id": codepush.build.project.memberships.values_list("pk", flat=True).first() or 0,
        "invitation_id": codepush.build.project.invitations.values_list("pk", flat=True).first() or 0,
        "session_id": 0,
        "pk": 0,
        "signed": "nothing",
        "request_id": getattr(ChangeRequest.objects.first(), "pk", 0),
        "token_id": getattr(ApiToken.objects.first(), "pk", 0),
    }
    wanted = pattern.pattern.converters
    return reverse(str(pattern.name), kwargs={name: values[name] for name in wanted})


@pytest.fixture
def codepush(build: Build) -> CodePush:
    found: CodePush = CodePushFactory(build=build)
    report_installed(build, found.label, 1)
    owner: User = MembershipFactory(project=build.project, role=Role.ADMIN).user
    create_token(actor=owner, name="CI", role=Role.ADMIN, project=build.project)
    DeliveryFactory(webhook__project=build.project)
    InvitationFactory(project=build.project)
    ChangeRequest.objects.create(
        build=build, codepush=found, kind="edit", expires_at=timezone.now() + timedelta(hours=1), before={}
    )
    return found


@pytest.mark.parametrize("pattern", PATTERNS, ids=named(PATTERNS))
def test_every_page_of_a_project_is_a_404_to_outsiders(
    as_user: AsUser, outsider: User, codepush: CodePush, pattern: URLPattern
) -> None:
    client, address = as_user(outsider), _address(pattern, codepush)
    assert client.get(address).status_code == 404
    if pattern.name not in READ_ONLY:
        assert client.post(address).status_code == 404


@pytest.mark.parametrize("name", sorted(WITH_LIST))
def test_pages_of_all_projects_show_outsiders_nothing_of_this_one(
    as_user: AsUser, outsider: User, owner: User, codepush: CodePush, name: str
) -> None:
    project = codepush.build.project
    record(AuditAction.BUILD_REGISTERED, project=project, actor=owner, build=codepush.build)
    # Not a whole ID: that leads straight to what it names.
    query = {"q": codepush.build.store_version[:2]} if name == "search" else {}

    def shown_to(user: User) -> str:
        return b"".join(as_user(user).get(reverse(name), query)).decode()

    assert project.name in shown_to(owner)
    assert project.name not in shown_to(outsider)


@pytest.mark.parametrize("pattern", EVERY_PATTERN, ids=named(EVERY_PATTERN))
def test_every_page_leads_who_is_not_signed_in_to_the_sign_in_page(
    client: Client, codepush: CodePush, pattern: URLPattern
) -> None:
    address = _address(pattern, codepush)
    response = client.post(address) if pattern.name in POST_ONLY else client.get(address)
    if pattern.name in FRAGMENTS:
        assert (response.status_code, response.headers["HX-Refresh"]) == (401, "true")
    else:
        assert unquote(response.headers["Location"]) == f"/sign-in/?next={address}"


@pytest.mark.parametrize("pattern", PATTERNS, ids=named(PATTERNS))
def test_a_viewer_reads_every_page_and_posts_none(
    as_user: AsUser, viewer: User, codepush: CodePush, pattern: URLPattern
) -> None:
    client, address = as_user(viewer), _address(pattern, codepush)
    if pattern.name in (READ_ONLY | FOR_MEMBERS) - FOR_ADMINS:
        assert client.get(address).status_code == 200
        assert client.post(address).status_code in ((405,) if pattern.name in READ_ONLY else (200, 303))
        return
    role = "Admin" if pattern.name in FOR_ADMINS else "Release manager"
    entries = AuditEntry.objects.count()
    for act in (client.get,) if pattern.name in READ_ONLY else (client.get, client.post):
        response = act(address)
        assert response.status_code == 403
        assert f"You need the {role} role in Northwind Outdoor." in text_of(response)
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize("name", sorted(FOR_ADMINS))
def test_who_releases_does_not_decide_who_may(
    as_user: AsUser, release_manager: User, codepush: CodePush, name: str
) -> None:
    pattern = next(pattern for pattern in PATTERNS if pattern.name == name)
    client, address = as_user(release_manager), _address(pattern, codepush)
    for act in (client.get,) if name in READ_ONLY else (client.get, client.post):
        assert act(address).status_code == 403


def _mixed_up(codepush: CodePush) -> Iterator[str]:
    """Addresses whose parts exist, but do not belong together."""
    elsewhere = BuildFactory()
    neighbour = BuildFactory(project=codepush.build.project)
    slug = codepush.build.project.slug
    yield f"/projects/{slug}/builds/{elsewhere.pk}/"
    yield f"/projects/{slug}/builds/{neighbour.pk}/codepush/{codepush.deployment_id}/edit/"
    yield f"/projects/{slug}/builds/{codepush.build_id}/codepush/{CodePushFactory().deployment_id}/edit/"
    yield f"/projects/{slug}/builds/{codepush.build_id}/codepush/dpl_NOTHING/edit/"
    yield f"/projects/{slug}/builds/{'9' * 30}/"
    yield f"/projects/{slug}/settings/members/{MembershipFactory().pk}/role/"
    yield f"/projects/{slug}/settings/members/{'9' * 30}/remove/"
    yield f"/projects/{slug}/settings/members/invitations/{InvitationFactory().pk}/revoke/"
    own, foreign = codepush.build.project.webhooks.get(), DeliveryFactory()
    yield f"/projects/{slug}/settings/webhooks/{foreign.webhook_id}/"
    yield f"/projects/{slug}/settings/webhooks/{foreign.webhook_id}/edit/"
    yield f"/projects/{slug}/settings/webhooks/{own.pk}/deliveries/{foreign.pk}/"
    neighbour_delivery = DeliveryFactory(webhook=WebhookFactory(project=codepush.build.project))
    yield f"/projects/{slug}/settings/webhooks/{own.pk}/deliveries/{neighbour_delivery.pk}/replay/"


def test_objects_of_another_project_or_build_are_a_404(as_user: AsUser, owner: User, codepush: CodePush) -> None:
    client = as_user(owner)
    for address in _mixed_up(codepush):
        assert client.get(address).status_code == 404, address


def test_a_viewer_sees_rollback_but_it_leads_nowhere(as_user: AsUser, viewer: User, owner: User, build: Build) -> None:
    CodePushFactory(build=build)
    live = CodePushFactory(build=build)
    address = f"/projects/{build.project.slug}/builds/{build.pk}/"
    page = text_of(as_user(viewer).get(address))
    assert codepush_url(live, "rollback") not in page
    assert "Rollback<" in page
    assert 'aria-disabled="true" title="You need the Release manager role. Ask Olga Kaya."' in page
    assert codepush_url(live, "rollback") in text_of(as_user(owner).get(address))
