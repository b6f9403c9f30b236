"""Invitations: sent and taken back on a project's settings page, answered behind the link of a mail."""

from http import HTTPStatus
from typing import Any, cast

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from builds.errors import DomainError, NotAllowedNow
from builds.models import Role
from builds.views.form_page import find_status
from builds.views.project_settings import SettingsPage
from sign_in import accounts, invitations, tasks
from sign_in.forms import InvitationForm, NewAccountForm
from sign_in.models import Invitation
from sign_in.views.addresses import find_server


def _send(request: HttpRequest, invitation: Invitation) -> str:
    """Hand the mail to a worker; returns what is true now."""
    try:
        tasks.queue(tasks.send_invitation, invitation.pk, find_server(request))
    except NotAllowedNow as refusal:
        return f"{invitation.email} is invited, but not told yet: {refusal.message}"
    return f"{invitation.email} is invited. Role: {invitation.get_role_display()}. A mail is on its way."


class InviteMember(SettingsPage):
    form_class = InvitationForm
    template_name = "builds/member_invite.html"

    def initial(self) -> dict[str, Any]:
        return {"role": Role.VIEWER}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        invitation = invitations.invite(self.access.project.pk, actor=self.actor, **values)
        return self.back_url(), _send(self.request, invitation)


class _InvitationPage(SettingsPage):
    """A form about one invitation that waits for an answer."""

    invitation: Invitation

    def load(self, **address: Any) -> None:
        super().load(**address)
        found = invitations.list_open(self.access.project).filter(pk=address["invitation_id"]).first()
        if found is None:
            raise Http404("There is no such invitation, or it has ended.")
        self.invitation = found

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "invitation": self.invitation}


class InviteAgain(_InvitationPage):
    template_name = "builds/invitation_again.html"

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        return self.back_url(), _send(self.request, invitations.invite_again(self.invitation.pk, actor=self.actor))


class RevokeInvitation(_InvitationPage):
    template_name = "builds/invitation_revoke.html"

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        invitations.revoke(self.invitation.pk, actor=self.actor)
        return self.back_url(), f"The invitation of {self.invitation.email} is taken back."


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def answer(request: HttpRequest, signed: str) -> HttpResponse:
    """Where the link of the mail leads: into the project, by the account that has the address, or a new one."""
    try:
        invitation = invitations.find(signed)
    except NotAllowedNow as refusal:
        return _show(request, "dead", HTTPStatus.GONE, sentence=refusal.message)
    if request.user.is_authenticated:
        return _join(request, invitation)
    account = accounts.find_by_email(invitation.email)
    if account is None:
        return _open_account(request, invitation)
    if not account.is_active:
        sentence = f"The account of {invitation.email} is switched off. Ask who runs this server."
        return _show(request, "dead", HTTPStatus.FORBIDDEN, sentence=sentence)
    return _show(request, "sign_in", HTTPStatus.OK, invitation=invitation)


def _join(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    user = cast(User, request.user)
    if user.email.lower() != invitation.email:
        return _show(request, "other_account", HTTPStatus.CONFLICT, invitation=invitation)
    if request.method != "POST":
        return _show(request, "join", HTTPStatus.OK, invitation=invitation)
    return _enter(request, invitation, user)


def _open_account(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = NewAccountForm(request.POST if request.method == "POST" else None)
    status: int = HTTPStatus.OK
    if form.is_bound and not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    elif form.is_bound:
        new = {**form.cleaned_data, "password": form.cleaned_data["new_password"]}
        del new["new_password"]
        try:
            with transaction.atomic():
                user = accounts.create_account(email=invitation.email, source="invitation", **new)
                invitations.accept(invitation.pk, user=user)
        except DomainError as refusal:
            form.add_refusal(refusal)
            status = find_status(refusal)
        else:
            url = reverse("project_detail", args=[invitation.project.slug])
            record_authentication(request, user, method="password", reauthenticated=True)
            return perform_login(request, Login(user=user, redirect_url=url))
    return _show(request, "new_account", status, invitation=invitation, form=form)


def _enter(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    try:
        member = invitations.accept(invitation.pk, user=user)
    except NotAllowedNow as refusal:
        return _show(request, "dead", HTTPStatus.GONE, sentence=refusal.message)
    messages.success(request, f"You are a member of {invitation.project} now. Role: {member.get_role_display()}.")
    return redirect("project_detail", invitation.project.slug)


def _show(request: HttpRequest, page: str, status: int, **told: Any) -> HttpResponse:
    return render(request, f"accounts/invitation_{page}.html", {"here": request.path, **told}, status=status)
