"""Filters of the list of devices, as they stand in its address."""

from typing import Any, cast

from django import forms

from builds.forms import FilterForm, search_field
from deployments.policy.label import find_label_number, format_label
from deployments.views.split import STORE_ADDRESS
from metrics.devices import FACT_EVENTS, Selection, Show
from metrics.models import STORE_BUNDLE

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
    """`label`: "v3", STORE_ADDRESS, or several that count as one: "v3,v1". Unknown values are ignored."""

    show = forms.ChoiceField(label="Which devices", choices=_SHOWN, required=False)
    label = forms.ChoiceField(label="Update", required=False)
    q = search_field("Client id", "A whole client id")

    def __init__(self, data: Any, newest_label: int) -> None:
        """`newest_label`: labels run from v1 to this."""
        super().__init__(data)
        self._newest_label = newest_label
        choices = [*_name_labels(newest_label), (STORE_ADDRESS, "Store bundle")]
        joined, known = str(data.get("label", "")), dict(choices[1:])
        if "," in joined and all(part in known for part in joined.split(",")):
            choices.append((joined, joined.replace(",", ", ")))
        cast(forms.ChoiceField, self.fields["label"]).choices = choices

    @property
    def selection(self) -> Selection:
        """What is asked for. A fact is one about an update: without one, about the newest."""
        chosen = self.chosen
        show = Show(chosen["show"] or Show.ALL)
        parts = chosen["label"].split(",") if chosen["label"] else []
        numbers = [STORE_BUNDLE if part == STORE_ADDRESS else find_label_number(part) or 0 for part in parts]
        if show in FACT_EVENTS:
            numbers = [number for number in numbers if number != STORE_BUNDLE][:1] or [self._newest_label]
        return Selection(show, tuple(numbers), chosen["q"])
