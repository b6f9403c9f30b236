"""What pages about webhooks accept. Whether a value can be taken is for the service to say."""

from collections.abc import Mapping

from django import forms

from builds.forms import FilterForm, ServiceForm
from webhooks.events import EVENT_LABELS, SUBSCRIBABLE
from webhooks.models import Delivery, Webhook


def write_headers(headers: Mapping[str, str]) -> str:
    """As people type them: one a line."""
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


class WebhookForm(ServiceForm):
    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autofocus": True}))
    url = forms.CharField(
        label="URL",
        max_length=2000,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocapitalize": "none", "autocomplete": "off"}),
        help_text="Where messages are posted to. Only admins see more of it than its host.",
    )
    format = forms.ChoiceField(choices=Webhook.Format, help_text="Slack: a sentence for an incoming webhook of Slack.")
    events = forms.MultipleChoiceField(
        choices=[(event.value, EVENT_LABELS[event]) for event in SUBSCRIBABLE],
        widget=forms.CheckboxSelectMultiple,
        # The service says so in its own words.
        required=False,
    )
    extra_headers = forms.CharField(
        label="Extra headers",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "Authorization: Bearer …"}),
        help_text="One a line. Only admins see the values.",
    )

    def clean_extra_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in self.cleaned_data["extra_headers"].replace("\r\n", "\n").split("\n"):
            if not line.strip():
                continue
            name, colon, value = line.partition(":")
            if not colon:
                raise forms.ValidationError(f"{line!r} is no header. Write one a line, as Name: value.")
            if name.strip().lower() in {known.lower() for known in headers}:
                raise forms.ValidationError(f"{name.strip()} is there twice. Remove one.")
            headers[name.strip()] = value.strip()
        return headers


class DeliveryFilterForm(FilterForm):
    status = forms.ChoiceField(label="Status", choices=[("", "Any status"), *Delivery.Status.choices], required=False)
    event = forms.ChoiceField(
        label="Event",
        choices=[("", "Any event"), *((event.value, label) for event, label in EVENT_LABELS.items())],
        required=False,
    )
