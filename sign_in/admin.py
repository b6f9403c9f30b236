"""Second factors for support staff: who has which, and a way out for somebody who lost theirs."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.models import User

from builds.support_admin import ViewOnlyAdmin, service_action
from sign_in import second_factors

# What these hold is not used here (addresses, providers), or nobody's business (secrets).
for model in (Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)


@service_action(
    "Remove all second factors of the person",
    warning="They sign in with the password alone, until they set one up again. Make sure that it is they who ask.",
)
def remove_second_factors(authenticator: Authenticator, staff: User) -> str:
    count = second_factors.remove_all(authenticator.user_id, actor=staff)
    return f"{authenticator.user} has no second factor any more; there were {count}."


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
