"""A person's own account: name, address, password, second factors, sessions, and what they are in which project."""

from typing import Any, cast

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from builds import audit_log, membership, selectors
from builds.errors import DomainError, NotAllowedNow
from builds.views.audit_words import describe_changes
from builds.views.form_page import FormPage
from sign_in import accounts, limits, second_factors, sessions, tasks
from sign_in.browsers import name_browser
from sign_in.forms import NewEmailForm, PasswordForm, ProfileForm
from sign_in.views.addresses import find_server

_EVENTS_SHOWN = 10


@require_safe
@login_required
def show_account(request: HttpRequest) -> HttpResponse:
    """Five queries beside those of every page, however many projects, sessions and factors."""
    user = cast(User, request.user)
    locked = {project.pk for project in selectors.list_locked(user)}
    memberships = list(membership.list_memberships(user))
    open_sessions = [(name_browser(each.browser), each) for each in sessions.list_sessions(user)]
    events = [(entry, describe_changes(entry)) for entry in audit_log.list_own_entries(user)[:_EVENTS_SHOWN]]
    context = {
        "memberships": [(each, each.project_id in locked) for each in memberships],
        "sessions": open_sessions,
        "session_key": request.session.session_key,
        "factors": second_factors.describe_factors(user),
        "events": events,
    }
    return render(request, "accounts/account.html", context)


@require_POST
@login_required
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    user = cast(User, request.user)
    ended = sessions.end_session(session_id, actor=user)
    messages.success(request, "You are signed out there." if ended else "You were signed out there already.")
    return redirect("account")


@require_POST
@login_required
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    count = sessions.end_other_sessions(cast(User, request.user), current_key=request.session.session_key)
    messages.success(request, "You are signed out everywhere else." if count else "You were signed in nowhere else.")
    return redirect("account")


class _AccountPage(FormPage):
    def back_url(self) -> str:
        return reverse("account")


class EditProfile(_AccountPage):
    form_class = ProfileForm
    template_name = "accounts/profile.html"

    def initial(self) -> dict[str, Any]:
        return {name: getattr(self.actor, name) for name in ("first_name", "last_name")}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        accounts.edit_profile(self.actor.pk, **values)
        return self.back_url(), "Your account is saved."


@method_decorator([login_required, reauthentication_required(app="allauth.mfa")], name="dispatch")
class ChangeEmail(_AccountPage):
    """The address changes when the link in a mail to the new one is followed.

    Who found an open session is asked for the password first: with a new address they could reset it by mail.
    """

    form_class = NewEmailForm
    template_name = "accounts/email.html"

    def initial(self) -> dict[str, Any]:
        return {"email": self.actor.email}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        if not values["email"]:
            accounts.remove_email(self.actor.pk)
            return self.back_url(), "Your account has no e-mail address."
        email = accounts.check_new_email(self.actor.pk, values["email"])
        if not email:
            return self.back_url(), "This is your address already."
        limits.take_mail(email)
        tasks.queue(tasks.send_email_change, self.actor.pk, email, find_server(self.request))
        return self.back_url(), f"A mail is on its way to {email}. Follow its link within a day."


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def confirm_email(request: HttpRequest, signed: str) -> HttpResponse:
    """The link in the mail. It asks once more: programs that look into mails follow links, too."""
    user = cast(User, request.user)
    try:
        change = accounts.read_email_change(signed)
        if change.user_id != user.pk:
            raise NotAllowedNow(f"This link is for another account. You are signed in as {user.get_username()}.")
        if request.method != "POST":
            return render(request, "accounts/email_confirm.html", {"email": change.after})
        accounts.confirm_email(change)
    except DomainError as refusal:
        told = {"obstacle": refusal.message, "back_url": reverse("account")}
        return render(request, "409.html", told, status=409)
    messages.success(request, f"Your e-mail address is {change.after}.")
    return redirect("account")


class ChangePassword(_AccountPage):
    form_class = PasswordForm
    template_name = "accounts/password.html"

    def require_possible(self) -> None:
        if not self.actor.has_usable_password():
            raise NotAllowedNow("You sign in without a password.")

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        before = self.request.session.session_key or ""
        user = accounts.change_password(self.actor.pk, **values, session_key=before)
        # This session goes on, under another key; all others were opened with the old password, and have ended.
        update_session_auth_hash(self.request, user)
        sessions.rename(before, self.request.session.session_key or "")
        return self.back_url(), "Your password is changed. You are signed out everywhere else."
