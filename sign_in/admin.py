"""For support staff: people, who has which second factor, and a way out for somebody who lost theirs."""

from typing import Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from builds.support_admin import ViewOnlyAdmin, service_action
from sign_in import accounts, second_factors

# What these hold is not used here (addresses, providers), or nobody's business (secrets); people have a page below.
for model in (Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken, User):
    admin.site.unregister(model)


@service_action(
    "Remove all second factors of the person",
    warning="They sign in with the password alone, until they set one up again. Make sure that it is they who ask.",
)
def remove_second_factors(authenticator: Authenticator, staff: User) -> str:
    count = second_factors.remove_all(authenticator.user_id, actor=staff)
    return f"{authenticator.user} has no second factor any more; there were {count}."


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """What the support changes of what somebody signs in with is audited, and told to them (`notices`)."""

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        with transaction.atomic():
            before = User.objects.get(pk=obj.pk).email if change else obj.email
            super().save_model(request, obj, form, change)
            if obj.email != before:
                accounts.note_email_set(obj, before=before, actor=cast(User, request.user))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 (Django's name)
        with transaction.atomic():
            before = self._find_password(id)
            response: HttpResponse = super().user_change_password(request, id, form_url)
            if self._find_password(id) != before:
                accounts.note_password_set(User.objects.get(pk=id), actor=cast(User, request.user))
        return response

    def _find_password(self, user_id: str) -> str | None:
        """Its hash; None for nobody, of whom Django says 404."""
        if not user_id.isdecimal():
            return None
        return User.objects.filter(pk=user_id).values_list("password", flat=True).first()


@admin.register(Authenticator)
class AuthenticatorAdmin(ViewOnlyAdmin):
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__first_name", "user__last_name", "user__email")
    # Not `data`: it holds the secret.
    fields = ("user", "type", "created_at", "last_used_at")
    actions = (remove_second_factors,)


@admin.register(SocialAccount)
class SocialAccountAdmin(ViewOnlyAdmin):
    """Whom the identity provider's people are here."""

    list_display = ("user", "uid", "date_joined", "last_login")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email", "uid")
    fields = ("user", "uid", "date_joined", "last_login")
