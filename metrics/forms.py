"""What addresses of pages about devices hold: filters of the list, and the device that an answer is explained for."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from builds.errors import InvalidInput
from builds.forms import FilterForm, ServiceForm, search_field
from deployments.policy.label import find_label_number, format_label
from deployments.views.split import STORE_ADDRESS
from metrics.devices import FACT_EVENTS, Selection, Show
from metrics.models import STORE_BUNDLE, Software
from metrics.offers import STORE_LABEL, read_version

_SHOWN = [
    ("all", "All devices"),
    ("active", "Active now"),
    ("downloads", "Downloaded it"),
    ("installs", "Installed it"),
    ("rollbacks", "Rolled back by themselves"),
]


def _name_labels(newest_label: int) -> list[tuple[str, str]]:
    """Every label of the build as a choice, newest first."""
    labels = [format_label(number) for number in range(newest_label, 0, -1)]
    return [("", "Any update"), *((label, label) for label in labels)]


class FailureFilterForm(FilterForm):
    label = forms.ChoiceField(label="Update", required=False)
    range = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, newest_label: int) -> None:
        """`newest_label`: labels run from v1 to this."""
        super().__init__(data)
        cast(forms.ChoiceField, self.fields["label"]).choices = _name_labels(newest_label)


class DeviceFilterForm(FilterForm):
    """`label`: "v3", STORE_ADDRESS, or several that count as one: "v3,v1". Unknown values are ignored.

    `app`: an app version; `library`: a client library with its version, as `Software.library` has it.
    """

    show = forms.ChoiceField(label="Which devices", choices=_SHOWN, required=False)
    label = forms.ChoiceField(label="Update", required=False)
    app = forms.ChoiceField(label="App version", required=False)
    library = forms.ChoiceField(label="Client library", required=False)
    q = search_field("Client id", "A whole client id")

    def __init__(self, data: Any, newest_label: int, software: Sequence[Software]) -> None:
        """`newest_label`: labels run from v1 to this. `software`: what devices of the build say that they are."""
        super().__init__(data)
        self._newest_label = newest_label
        self._software = software
        choices = [*_name_labels(newest_label), (STORE_ADDRESS, "Store bundle")]
        joined, known = str(data.get("label", "")), dict(choices[1:])
        if "," in joined and all(part in known for part in joined.split(",")):
            choices.append((joined, joined.replace(",", ", ")))
        cast(forms.ChoiceField, self.fields["label"]).choices = choices
        self._offer("app", "Any app version", (one.app_version for one in software))
        self._offer("library", "Any client library", (one.library for one in software))

    def _offer(self, field: str, anything: str, texts: Iterable[str]) -> None:
        """Each text once, in the given order."""
        choices = [("", anything), *((text, text) for text in dict.fromkeys(texts) if text)]
        cast(forms.ChoiceField, self.fields[field]).choices = choices

    @property
    def software(self) -> list[Software]:
        """Which of them are asked for."""
        app, library = self.chosen["app"], self.chosen["library"]
        return [one for one in self._software if app in ("", one.app_version) and library in ("", one.library)]

    @property
    def selection(self) -> Selection:
        """What is asked for. A fact is one about an update: without one, about the newest."""
        chosen = self.chosen
        show = Show(chosen["show"] or Show.ALL)
        parts = chosen["label"].split(",") if chosen["label"] else []
        numbers = [STORE_BUNDLE if part == STORE_ADDRESS else find_label_number(part) or 0 for part in parts]
        if show in FACT_EVENTS:
            numbers = [number for number in numbers if number != STORE_BUNDLE][:1] or [self._newest_label]
        is_narrowed = chosen["app"] or chosen["library"]
        software_ids = tuple(one.pk for one in self.software) if is_narrowed else None
        return Selection(show, tuple(numbers), software_ids, chosen["q"])


_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TOO_LONG = {"max_length": "Too long: at most %(limit_value)d characters, and these are %(show_value)d."}


def _text_field(label: str, max_length: int, empty: str) -> forms.CharField:
    """`empty`: what leaving it empty means."""
    widget = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"})
    return forms.CharField(
        label=label, max_length=max_length, required=False, help_text=empty, error_messages=_TOO_LONG, widget=widget
    )


class ExplainForm(ServiceForm):
    """A device as its update check describes it. Fields are named as `explain_device` names them, and as devices do."""

    client_unique_id = _text_field("Client id", 128, "Empty: a device that sends none.")
    app_version = _text_field("App version", 64, "Empty: as its latest start said.")
    label = _text_field("Runs", 64, f"A label such as v3, or “{STORE_LABEL}”. Empty: as its latest start said.")
    package_hash = _text_field("Package hash", 64, "Empty: that of the update it runs.")

    @property
    def is_asked(self) -> bool:
        return any(self.data.get(name) for name in self.fields)

    def clean_app_version(self) -> str:
        app_version = str(self.cleaned_data["app_version"])
        try:
            if app_version:
                read_version(app_version)
        except InvalidInput as refusal:
            raise ValidationError(refusal.message) from refusal
        return app_version

    def clean_label(self) -> str:
        label = str(self.cleaned_data["label"])
        if not label or label == STORE_LABEL or find_label_number(label):
            return label
        raise ValidationError(f"{label!r} is no label. Use one such as v3, or “{STORE_LABEL}” for the store's bundle.")

    def clean_package_hash(self) -> str:
        package_hash = str(self.cleaned_data["package_hash"]).lower()
        if not package_hash or _HASH.fullmatch(package_hash):
            return package_hash
        raise ValidationError(f"{package_hash!r} is no package hash. It has 64 digits, 0–9 and a–f.")
