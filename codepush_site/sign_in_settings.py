"""Settings of passwords, second factors, single sign-on and mail. A part of `settings`, which says more."""

from django.core.exceptions import ImproperlyConfigured

from codepush_site import env

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# The first one makes new hashes; an older one is made anew when its owner signs in.
PASSWORD_HASHERS = ["sign_in.hashers.Argon2", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
# A mail is read within minutes; who finds it next week gets nothing.
PASSWORD_RESET_TIMEOUT = 4 * 3600
AUTHENTICATION_BACKENDS = ["sign_in.limits.LimitedBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "project_list"
LOGOUT_REDIRECT_URL = "sign_in"

STAFF_NEEDS_SECOND_FACTOR = env.read_bool("STAFF_NEEDS_SECOND_FACTOR", default=False)

OIDC_ISSUER = env.read_url("OIDC_ISSUER", schemes={"http", "https"})
OIDC_CLIENT_ID = env.read_str("OIDC_CLIENT_ID")
if OIDC_ISSUER and not OIDC_CLIENT_ID:
    raise ImproperlyConfigured("OIDC_CLIENT_ID is not set; with OIDC_ISSUER set, write what the provider calls us.")
OIDC_NAME = env.read_str("OIDC_NAME", "single sign-on")
# People whom the provider knows and nobody here does: an account without any role, or none.
OIDC_CREATES_ACCOUNTS = env.read_bool("OIDC_CREATES_ACCOUNTS", default=False)

# allauth: second factors and single sign-on. Names, passwords, mails and limits are ours (`sign_in`).
ACCOUNT_ADAPTER = "sign_in.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_FORMS = {"reauthenticate": "sign_in.forms.ConfirmPasswordForm"}
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
ACCOUNT_USER_DISPLAY = "builds.actors.name_person"
MFA_ADAPTER = "sign_in.adapters.FactorAdapter"
MFA_FORMS = {
    "authenticate": "sign_in.forms.CodeForm",
    "reauthenticate": "sign_in.forms.ConfirmCodeForm",
    "authenticate_webauthn": "sign_in.forms.GiveKeyForm",
    "reauthenticate_webauthn": "sign_in.forms.ConfirmKeyForm",
    "activate_totp": "sign_in.forms.SetUpAppForm",
    "add_webauthn": "sign_in.forms.AddKeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
# The clock of a phone may be half a minute off.
MFA_TOTP_TOLERANCE = 1
SOCIALACCOUNT_ADAPTER = "sign_in.adapters.OidcAdapter"
# As a link: after a form, `form-action 'self'` would let nobody leave for the provider.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": env.read_str("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}

# Without a mail server, mails are files in `var/mail`.
EMAIL_URL = env.read_str("EMAIL_URL")
_mail = env.read_mail_server("EMAIL_URL")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_URL else 'filebased'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.host, _mail.port, _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.starts_tls, _mail.is_tls
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.read_str("EMAIL_FROM", "CodePush Console <codepush@localhost>")
