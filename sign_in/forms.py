"""What the pages of sign-in and account accept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.forms import ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ReauthenticateByCodeForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, ReauthenticateWebAuthnForm
from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from builds.forms import RoleForm, ServiceForm, style_widgets
from sign_in import limits, second_factors

_PASSWORD_HELP = "At least 12 characters; no common password, and not your name."  # noqa: S105


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "This name and password do not belong together. Both are case-sensitive.",
        "inactive": "This account is switched off.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        style_widgets(self)

    def get_invalid_login_error(self) -> ValidationError:
        sentence = limits.describe_wait(self.cleaned_data.get("username", ""))
        return ValidationError(sentence) if sentence else super().get_invalid_login_error()


class EmailForm(ServiceForm):
    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class ProfileForm(ServiceForm):
    first_name = forms.CharField(label="First name", max_length=150, required=False)
    last_name = forms.CharField(label="Last name", max_length=150, required=False)


class NewEmailForm(ServiceForm):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text="Empty: none. Otherwise a mail goes there, and its link makes the address yours.",
    )


class NewPasswordForm(ServiceForm):
    new_password = forms.CharField(
        label="New password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_PASSWORD_HELP,
    )
    again = forms.CharField(
        label="New password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if "again" in values and values.pop("again") != values.get("new_password"):
            self.add_error("again", "This is not the same as the new password above.")
        return values


class PasswordForm(NewPasswordForm):
    current_password = forms.CharField(
        label="Current password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    field_order = ("current_password", "new_password", "again")


class NewAccountForm(NewPasswordForm):
    first_name = forms.CharField(label="First name", max_length=150)
    last_name = forms.CharField(label="Last name", max_length=150, required=False)
    field_order = ("first_name", "last_name", "new_password", "again")


class InvitationForm(RoleForm):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "off"}),
        help_text="A mail with a link goes there. It is good for a week, and once.",
    )
    field_order = ("email", "role")


# allauth's own forms, in our words and under our limits.


def _style_code(form: forms.Form) -> None:
    form.fields["code"].label = "Code"
    form.fields["code"].max_length = 20  # type: ignore[attr-defined]
    form.fields["code"].widget = forms.TextInput(
        attrs={"autocomplete": "one-time-code", "autofocus": True, "autocapitalize": "none", "spellcheck": "false"}
    )
    style_widgets(form)


class _LimitedCode(forms.Form):
    user: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _style_code(self)

    def clean_code(self) -> str:
        if sentence := limits.take_code_attempt(self.user.pk):
            raise ValidationError(sentence)
        code: str = self.cleaned_data["code"]
        self.authenticator = second_factors.find_by_code(self.user, code)
        if self.authenticator is None:
            raise ValidationError("This code is not right, or was used before. Enter the one that is shown now.")
        limits.codes.forget(self.user.pk)
        return code


class CodeForm(_LimitedCode, AuthenticateForm):
    """At sign-in, after the password."""


class ConfirmCodeForm(_LimitedCode, ReauthenticateByCodeForm):
    """Before a change of how one signs in."""


class ConfirmPasswordForm(ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"] = forms.CharField(
            label="Password",
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
        )
        style_widgets(self)

    def clean_password(self) -> str:
        try:
            return str(super().clean_password())
        except ValidationError as refusal:
            wait = limits.describe_wait(self.user.get_username())
            raise ValidationError(wait or "This is not your password.") from refusal


class SetUpAppForm(ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _style_code(self)

    def clean_code(self) -> str:
        try:
            return str(super().clean_code())
        except ValidationError as refusal:
            told = "This code is not right. Is the clock of your phone? Enter the one that the app shows now."
            raise ValidationError(told) from refusal


@contextmanager
def _refuse_rubbish() -> Iterator[None]:
    """What no browser sends is no fault of ours: neither allauth nor fido2 expects all of it."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as rubbish:
        raise ValidationError("This is no answer of a security key.") from rubbish


class GiveKeyForm(AuthenticateWebAuthnForm):
    def clean_credential(self) -> Authenticator:
        with _refuse_rubbish():
            found: Authenticator = super().clean_credential()
        return found


class ConfirmKeyForm(ReauthenticateWebAuthnForm):
    def clean_credential(self) -> Authenticator:
        with _refuse_rubbish():
            found: Authenticator = super().clean_credential()
        return found


class AddKeyForm(AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["name"] = ""
        self.fields["name"] = forms.CharField(
            label="Name", max_length=50, help_text="By which you tell your keys apart: “Blue key”, “Laptop”."
        )
        style_widgets(self)

    def clean(self) -> dict[str, Any]:
        with _refuse_rubbish():
            values: dict[str, Any] = super().clean()
        return values
