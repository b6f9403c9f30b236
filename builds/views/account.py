"""A person's own account: name, address, password, theme, and what they are in which project."""

from typing import Any, cast

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from builds import accounts, membership
from builds.forms import PasswordForm, ProfileForm
from builds.views.form_page import FormPage


@require_safe
@login_required
def show_account(request: HttpRequest) -> HttpResponse:
    """One query beside those of every page."""
    memberships = list(membership.list_memberships(cast(User, request.user)))
    return render(request, "accounts/account.html", {"memberships": memberships})


class _AccountPage(FormPage):
    def back_url(self) -> str:
        return reverse("account")


class EditProfile(_AccountPage):
    form_class = ProfileForm
    template_name = "accounts/profile.html"

    def initial(self) -> dict[str, Any]:
        return {name: getattr(self.actor, name) for name in ("first_name", "last_name", "email")}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        accounts.edit_profile(self.actor.pk, **values)
        return self.back_url(), "Your account is saved."


class ChangePassword(_AccountPage):
    form_class = PasswordForm
    template_name = "accounts/password.html"

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        user = accounts.change_password(self.actor.pk, **values)
        # This session goes on; all others were opened with the old password, and end.
        update_session_auth_hash(self.request, user)
        return self.back_url(), "Your password is changed. You are signed out everywhere else."
