from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class SignInConfig(AppConfig):
    name = "sign_in"

    def ready(self) -> None:
        # From here on they hear of sign-ins, second factors and what is audited. Not above: models cannot be
        # imported there yet.
        import_module("sign_in.limits")
        import_module("sign_in.notices")
        import_module("sign_in.signals")


class SupportConfig(AdminConfig):
    """Django's admin, behind our own sign-in."""

    default_site = "sign_in.support_site.SupportSite"
