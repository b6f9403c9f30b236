"""What the forms of builds and CodePushes accept. Rules on values are the services'; these read and tidy."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from builds.errors import DomainError
from builds.forms import FilterForm, ServiceForm, search_field
from builds.models import Build, Platform, StoreStatus
from deployments.services import checks

_NOT_MANDATORY = "Off: it downloads on the first launch and installs on the second."
_SPLASH = f"Installs during the Splash Screen. {_NOT_MANDATORY}"


class WholeNumberField(forms.CharField):
    """A whole number as digits. "50%", "12.5" and "" are refused with the value in the sentence, never rounded."""

    def clean(self, value: Any) -> int:
        text = str(value or "").strip()
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return int(text)
        raise ValidationError(f"{self.label} is {text!r}; use a whole number from 1 to 100.")


def _rollout_field() -> WholeNumberField:
    return WholeNumberField(
        label="Rollout",
        initial=100,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 4}),
        help_text="Share of devices meant to get this update, 1 to 100.",
    )


def _description_field() -> forms.CharField:
    return forms.CharField(
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 3, "maxlength": checks.MAX_DESCRIPTION_LENGTH, "placeholder": "What changed, for your team"}
        ),
    )


def _reason_field(kept: str = "Kept in the audit log and shown on the card.") -> forms.CharField:
    return forms.CharField(
        required=False,
        widget=forms.TextInput(attrs={"maxlength": checks.MAX_REASON_LENGTH, "autocomplete": "off"}),
        help_text=kept,
    )


class CodePushForm(ServiceForm):
    """Fields that every form about what is Live carries: the label that was Live when it was opened, "" for none."""

    expected_live = forms.CharField(required=False, widget=forms.HiddenInput)


class CreateForm(CodePushForm):
    build_target = forms.CharField(widget=forms.HiddenInput)
    platform = forms.CharField(widget=forms.HiddenInput)
    target_binary_range = forms.CharField(required=False, empty_value=None, widget=forms.HiddenInput)
    bundle = forms.FileField(
        required=False,
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
        error_messages={"empty": "The file is empty. Choose the bundle, a ZIP archive."},
    )
    # What was uploaded before the form was sent.
    upload = forms.CharField(required=False, widget=forms.HiddenInput)
    description = _description_field()
    rollout_percent = _rollout_field()
    is_mandatory = forms.BooleanField(label="Mandatory", required=False, help_text=_SPLASH)
    allows_identical = forms.BooleanField(
        label="Publish even if identical to the Live bundle",
        required=False,
        help_text="Off: a bundle that would change nothing on devices is refused.",
    )
    # Shown where a second person reads it.
    reason = _reason_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The page refuses a larger file in words before it sends it.
        self.fields["bundle"].widget.attrs["data-limit"] = settings.MAX_BUNDLE_BYTES
        self.fields["bundle"].help_text = f"ZIP, up to {settings.MAX_BUNDLE_BYTES // 1_000_000} MB."

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if not (values.get("bundle") or values.get("upload") or "bundle" in self.errors):
            self.add_error("bundle", "Choose the bundle, a ZIP archive.")
        return values


class EditForm(CodePushForm):
    description = _description_field()
    rollout_percent = _rollout_field()
    is_mandatory = forms.BooleanField(label="Mandatory", required=False, help_text=_SPLASH)
    is_enabled = forms.BooleanField(label="Enabled", required=False)
    # Shown where a second person reads it.
    reason = _reason_field()


class RollbackForm(CodePushForm):
    to = forms.CharField(label="Go back to", error_messages={"required": "Choose which update to go back to."})
    is_mandatory = forms.BooleanField(
        label="Mandatory: install during the Splash Screen", required=False, help_text=_NOT_MANDATORY
    )
    rollout_percent = _rollout_field()
    reason = _reason_field()


class PromoteForm(CodePushForm):
    rollout_percent = _rollout_field()
    reason = _reason_field()


class StoreStatusForm(ServiceForm):
    store_status = forms.ChoiceField(label="Store status", choices=StoreStatus, widget=forms.RadioSelect)


class ForceUpdateForm(ServiceForm):
    """`confirmation` is compared with the build's store version by the page that applies it."""

    APPLY, LIFT = "apply", "lift"
    intent = forms.ChoiceField(choices=[(APPLY, "Apply"), (LIFT, "Lift")], widget=forms.HiddenInput)
    confirmation = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    reason = _reason_field("Kept in the audit log.")


class RefuseForm(ServiceForm):
    reason = _reason_field("For who asked for it, and for the audit log.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True
        self.fields["reason"].error_messages["required"] = "Say why, for who asked for it."


class WithdrawForm(ServiceForm):
    reason = _reason_field("Kept in the audit log.")


class SecondPersonForm(ServiceForm):
    needs_second_person = forms.BooleanField(
        label="Production changes need a second person",
        required=False,
        help_text="Nobody approves what they asked for themselves, nor does their token.",
    )
    approval_hours = forms.IntegerField(
        label="Requests wait, in hours",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text="Then they expire. 1 to 168.",
    )
    reason = _reason_field("Needed to turn it off. Kept in the audit log.")


class SigningKeyForm(ServiceForm):
    signing_key = forms.CharField(
        label="Public key",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 8, "class": "form-control mono", "spellcheck": "false"}),
        help_text="RSA, in PEM: what the app checks updates with. Empty: bundles need no signature.",
    )
    reason = _reason_field("Kept in the audit log.")

    def add_refusal(self, refusal: DomainError) -> None:
        if "PRIVATE KEY" in self.cleaned_data.get("signing_key", ""):
            # It is not sent back to be read over somebody's shoulder.
            self.data = {**self.data, "signing_key": ""}
        super().add_refusal(refusal)


class BuildStatusForm(ServiceForm):
    status = forms.ChoiceField(label="Build status", choices=Build.Status, widget=forms.RadioSelect)


class DeploymentFilterForm(FilterForm):
    q = search_field("Filter by description, version, project, person or deployment ID", "Description, version, person")
    platform = forms.ChoiceField(choices=Platform.choices, required=False, widget=forms.HiddenInput)
    status = forms.ChoiceField(
        label="State",
        choices=[
            ("", "Any state"),
            ("running", "Running"),
            ("waiting", "Waiting for approval"),
            ("live", "Live"),
            ("success", "Successful"),
            ("failed", "Failed"),
            ("canceled", "Canceled"),
        ],
        required=False,
    )
