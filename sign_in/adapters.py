"""How allauth behaves here: it says nothing by itself, opens no account, and asks us whom it lets in."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from builds.errors import DomainError
from sign_in import sealed, single_sign_on
from telemetry.addresses import find_address


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Our views say what is true afterwards."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """As everything else here knows it: allauth would believe what any client writes."""
        return find_address(request.META)

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        return _refuse(request, "This account is switched off. Ask who runs this server.")


class FactorAdapter(DefaultMFAAdapter):
    def get_totp_issuer(self) -> str:
        return f"CodePush Console ({self._get_site_name()})"

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        return user.get_username()

    def encrypt(self, text: str) -> str:
        return sealed.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return sealed.unseal(encrypted_text)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """None of allauth's: ours follow the audit log (`notices`)."""


class OidcAdapter(DefaultSocialAccountAdapter):
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Whom the provider names for the first time is linked to an account, or refused in words."""
        try:
            said = single_sign_on.read_claims(sociallogin.account.extra_data)
            if sociallogin.is_existing:
                return
            with transaction.atomic():
                sociallogin.user = single_sign_on.find_or_create_account(said)
                sociallogin.save(request, connect=True)
        except DomainError as refusal:
            raise ImmediateHttpResponse(_refuse(request, refusal.message)) from refusal

    def on_authentication_error(self, *args: Any, **told: Any) -> None:
        raise ImmediateHttpResponse(refuse_single_sign_on(args[0]))

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """The one of the environment. Rows in the database could add providers of their own."""
        return [app for app in super().list_apps(request, provider, client_id) if app.pk is None]


def refuse_single_sign_on(request: HttpRequest) -> HttpResponse:
    return _refuse(request, f"Signing in by {settings.OIDC_NAME} did not work. Try again, or ask who runs this server.")


def _refuse(request: HttpRequest, sentence: str) -> HttpResponse:
    return render(request, "accounts/sign_in_refused.html", {"sentence": sentence}, status=403)
