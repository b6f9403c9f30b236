"""Settings of web processes that serve devices only (DJANGO_SETTINGS_MODULE=codepush_site.device_settings).

No console, no release API, no admin: where phones come from the whole internet there is nothing else to reach, and a
process takes less memory. Everything else is as in `settings`, and so is the environment that it reads.
"""

from codepush_site.settings import *  # noqa: F403
from codepush_site.settings import INSTALLED_APPS as _ALL_APPS

# Of people: sign-in, sessions, messages, the admin, pages and their files.
_OF_THE_CONSOLE = ("allauth", "sign_in.", "whitenoise.", "django.contrib.")
_NEEDED_BY_MODELS = (
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "allauth",
    "allauth.account",
    "allauth.mfa",
)

INSTALLED_APPS = [app for app in _ALL_APPS if app in _NEEDED_BY_MODELS or not app.startswith(_OF_THE_CONSOLE)]
MIDDLEWARE = [
    "codepush_site.request_context.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "codepush_site.middleware.DatabaseOutageMiddleware",
    "django.middleware.common.CommonMiddleware",
    # Its app asks for it. Nobody signs in here.
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "codepush_site.device_urls"
