"""Second factors: given at sign-in, set up and removed under Account. allauth's views, with our pages around them.

Each change stands in one transaction with its audit entry, and asks for the password first (or the factor itself), when
that was not given within the last five minutes.
"""

from typing import Any, cast

from allauth.account.decorators import reauthentication_required
from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as ReauthenticateByCodeView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from sign_in import second_factors

# Before allauth looks: it keeps what was sent by whoever is signed out, to send it again after they are not.
_for_people = method_decorator([login_required, never_cache], name="dispatch")


class GiveFactor(AuthenticateView):
    """The second step of signing in."""

    template_name = "accounts/factor.html"


@_for_people
class ConfirmByPassword(ReauthenticateView):
    template_name = "accounts/confirm_password.html"


@_for_people
class ConfirmByCode(ReauthenticateByCodeView):
    template_name = "accounts/confirm_code.html"


@_for_people
class ConfirmByKey(ReauthenticateWebAuthnView):
    template_name = "accounts/confirm_key.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form))
        return response


class _FactorPage:
    """Afterwards: to the recovery codes, if these were made along with it; else back to the account."""

    request: HttpRequest
    said: str
    did_generate_recovery_codes = False

    @property
    def person(self) -> User:
        return cast(User, self.request.user)

    def get_success_url(self) -> str:
        messages.success(self.request, self.said)
        return reverse("mfa_view_recovery_codes" if self.did_generate_recovery_codes else "account")


class _AddsFactor(_FactorPage):
    kind: Authenticator.Type

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
            second_factors.note_added(self.person, self.kind, session_key=self.request.session.session_key)
        return response


class _RemovesFactor(_FactorPage):
    def find_factor(self) -> Authenticator:
        raise NotImplementedError

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            second_factors.note_removed(self.person, self.find_factor())
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        return response


@_for_people
class SetUpApp(_AddsFactor, ActivateTOTPView):
    template_name = "accounts/app_set_up.html"
    said = "Your authenticator app is set up."
    kind = Authenticator.Type.TOTP


@_for_people
class RemoveApp(_RemovesFactor, DeactivateTOTPView):
    template_name = "accounts/app_remove.html"
    said = "Your authenticator app is removed."

    def find_factor(self) -> Authenticator:
        return self.authenticator


@_for_people
class AddKey(_AddsFactor, AddWebAuthnView):
    template_name = "accounts/key_add.html"
    said = "Your security key is added."
    kind = Authenticator.Type.WEBAUTHN

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # allauth's own would lose a form with errors in it.
        return {**super().get_context_data(**kwargs), **kwargs}


@_for_people
class RemoveKey(_RemovesFactor, RemoveWebAuthnView):
    template_name = "accounts/key_remove.html"
    said = "The security key is removed."

    def find_factor(self) -> Authenticator:
        key: Authenticator = self.get_object()
        return key


@_for_people
# Before the page reads anything: for whoever is signed out allauth's own would say 404.
@method_decorator(reauthentication_required(app="allauth.mfa"), name="dispatch")
class ShowCodes(ViewRecoveryCodesView):
    template_name = "accounts/codes.html"


@_for_people
class RenewCodes(GenerateRecoveryCodesView):
    template_name = "accounts/codes_renew.html"

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            second_factors.note_codes_renewed(self.person)
        return response

    @property
    def person(self) -> User:
        return cast(User, self.request.user)
