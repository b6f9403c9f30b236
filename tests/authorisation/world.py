"""One of everything that an address can name, all of it one project's, and everybody who might ask for it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from builds import services
from builds.models import AuditEntry, Build, Membership, Project, Role
from deployments import bundle_storage
from deployments.models import BundleDiff, ChangeRequest, CodePush
from metrics.models import Device, ReportLogEntry
from release_api.models import ApiToken, BucketUpload
from release_api.tokens import create_token
from tests.deployments.pages import report_installed
from tests.factories import (
    BuildFactory,
    CodePushFactory,
    DeliveryFactory,
    InvitationFactory,
    MembershipFactory,
    ProjectFactory,
    UserFactory,
    WebhookFactory,
)

# In what only members may read, and in no address: whoever is shown it has been let in.
SECRET = "zebra-7f3a"
Headers = dict[str, str]


@dataclass(frozen=True)
class World:
    """`people` and `tokens`: {column of the tables: the headers of that one's requests}; `ids` fill addresses."""

    people: dict[str, Headers]
    tokens: dict[str, Headers]
    ids: dict[str, Any]
    # {model of the admin: the object that its pages are about}
    admin_ids: dict[str, Any]


def make_world() -> World:
    project = ProjectFactory(slug="northwind-outdoor", name=f"Northwind {SECRET}", description=SECRET)
    elsewhere = ProjectFactory(slug="elsewhere", name="Elsewhere")
    admin = _member(project, Role.ADMIN, "olga")
    viewer = _member(project, Role.VIEWER, "vera")
    outsider = _member(elsewhere, Role.ADMIN, "otto")
    MembershipFactory(project=elsewhere, user=admin, role=Role.ADMIN)
    people: dict[str, Headers] = {
        "nobody": {},
        "outsider": _sign_in(outsider),
        "viewer": _sign_in(viewer),
        "manager": _sign_in(_member(project, Role.RELEASE_MANAGER, "elif")),
        "admin": _sign_in(admin),
        "staff": _sign_in(UserFactory(username="stan", is_staff=True)),
        "superuser": _sign_in(UserFactory(username="sam", is_staff=True, is_superuser=True)),
    }
    tokens = {
        "viewer": _token(admin, Role.VIEWER),
        "manager": _token(admin, Role.RELEASE_MANAGER),
        "admin": _token(admin),
        # Of this project only: its people's projects and tokens elsewhere are none of its business.
        "bound": _token(admin, project=project),
        # May do whatever its person may, who is a viewer.
        "viewer's": _token(viewer),
        "outsider's": _token(outsider),
        "other": _token(admin, project=elsewhere),
        "expired": _token(admin, expires_at=timezone.now() - timedelta(seconds=1)),
        "revoked": _token(admin, revoked_at=timezone.now()),
        "invented": {"Authorization": f"Bearer cpc_{'a' * 42}"},
    }
    ids, admin_ids = _furnish(project, admin)
    return World(people, tokens, ids, admin_ids)


def _member(project: Project, role: Role, username: str) -> User:
    user: User = UserFactory(username=username)
    MembershipFactory(project=project, user=user, role=role)
    return user


def _sign_in(user: User) -> Headers:
    client = Client()
    client.force_login(user)
    return {"Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())}


def _token(user: User, role: Role = Role.ADMIN, project: Project | None = None, **state: Any) -> Headers:
    token, text = create_token(actor=user, name="CI", role=role, project=project)
    # Used a moment ago: that it is used now need not be noted, so a refused request writes nothing at all.
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now(), **state)
    return {"Authorization": f"Bearer {text}"}


def _furnish(project: Project, admin: User) -> tuple[dict[str, Any], dict[str, Any]]:
    build = BuildFactory(project=project, branch=SECRET)
    old, new = CodePushFactory.create_batch(2, build=build, description=SECRET)
    report_installed(build, "v1", 1)
    webhook = WebhookFactory(project=project, name=SECRET)
    delivery = DeliveryFactory(webhook=webhook, body=f'{{"type": "live.changed", "of": "{SECRET}"}}')
    member = _member(project, Role.VIEWER, "vito")
    token, _ = create_token(actor=admin, name=SECRET, role=Role.ADMIN, project=project)
    invitation = InvitationFactory(project=project, email=f"{SECRET}@example.com")
    services.edit_project(project.pk, actor=admin, ios_bundle_id=f"com.{SECRET}")
    membership_id = Membership.objects.get(project=project, user=member).pk
    ids = {
        "slug": project.slug,
        "build_id": build.pk,
        "deployment_id": new.deployment_id,
        "other_id": old.deployment_id,
        "client_hash": Device.objects.get(build=build).client_hash,
        "membership_id": membership_id,
        "webhook_id": webhook.pk,
        "request_id": _ask(new).pk,
        "delivery_id": delivery.pk,
        "token_id": token.pk,
        # The API's own name for a token.
        "fingerprint": token.fingerprint,
        "upload_id": _upload_in_parts(build, admin).upload_id,
        "id": admin.pk,
        "app_label": "builds",
        "content_type_id": ContentType.objects.get_for_model(Project).pk,
        "url": "no-such-page",
        "invitation_id": invitation.pk,
        "session_id": admin.open_sessions.latest("pk").pk,
        # Of a security key; of what a mail carries: whoever has the whole of it has the mail.
        "pk": 0,
        "signed": "nothing",
        "uidb64": "nobody",
        "reset_token": "nothing",
    }
    return ids, _list_admin_ids(build, old, new, membership_id)


def _upload_in_parts(build: Build, admin: User) -> BucketUpload:
    """Whole already: what is missing, a bucket would have to say."""
    upload: BucketUpload = BucketUpload.objects.create(
        upload_id="upl_of_the_admin",
        build=build,
        created_by=admin,
        storage_name=bundle_storage.save_upload("upl_of_the_admin", ContentFile(b"PK")),
        size_bytes=2,
        part_size_bytes=2,
        expires_at=timezone.now() + timedelta(days=1),
    )
    return upload


def _ask(codepush: CodePush) -> ChangeRequest:
    """Somebody who has left asked for it."""
    until = timezone.now() + timedelta(hours=1)
    return ChangeRequest.objects.create(
        build=codepush.build, codepush=codepush, kind="edit", reason=SECRET, expires_at=until
    )


def _list_admin_ids(build: Build, old: CodePush, new: CodePush, membership_id: int) -> dict[str, Any]:
    diff = BundleDiff.objects.create(
        from_bundle_id=old.bundle_id or 0, to_bundle_id=new.bundle_id or 0, storage_name=f"{'0' * 64}.zip", size_bytes=1
    )
    member = Membership.objects.get(pk=membership_id).user
    authenticator = Authenticator.objects.create(user=member, type="totp", data={"secret": SECRET})
    return {
        "builds_project": build.project_id,
        "builds_membership": membership_id,
        "builds_build": build.pk,
        "builds_auditentry": AuditEntry.objects.filter(project=build.project_id).latest("pk").pk,
        "deployments_codepush": new.pk,
        "deployments_bundle": new.bundle_id,
        "deployments_bundlediff": diff.pk,
        "release_api_apitoken": ApiToken.objects.latest("pk").pk,
        "deployments_changerequest": ChangeRequest.objects.get().pk,
        "metrics_reportlogentry": ReportLogEntry.objects.latest("pk").pk,
        "mfa_authenticator": authenticator.pk,
        "socialaccount_socialaccount": SocialAccount.objects.create(user=authenticator.user, uid=SECRET).pk,
        "auth_group": Group.objects.create(name=SECRET).pk,
        "auth_user": Membership.objects.get(pk=membership_id).user_id,
    }
