"""What pages accept. Forms read and tidy input; whether a value can be taken is for the services to say."""

from collections.abc import Iterable
from datetime import date
from typing import Any, cast

from django import forms
from django.contrib.auth.models import User

from builds.actors import name_person
from builds.errors import DomainError
from builds.models import AuditAction, Build, BuildTarget, Platform, Project, Role, StoreStatus


class ServiceForm(forms.Form):
    """A form in front of one service: its fields are named as the service names the inputs it refuses."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        style_widgets(self)

    def clean(self) -> dict[str, Any]:
        """Browsers send line ends as two characters; services count and store one."""
        return {
            name: value.replace("\r\n", "\n") if isinstance(value, str) else value
            for name, value in self.cleaned_data.items()
        }

    def add_refusal(self, refusal: DomainError) -> None:
        """Show the service's sentence under the field it is about; above all fields when it is about none."""
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, refusal.message)


def style_widgets(form: forms.BaseForm) -> None:
    """Give each input the class of its kind in our stylesheet."""
    for field in form.fields.values():
        match field.widget:
            case forms.RadioSelect() | forms.HiddenInput():
                continue
            case forms.CheckboxInput():
                css = "form-check-input"
            case forms.Select():
                css = "form-select"
            case _:
                css = "form-control"
        field.widget.attrs.setdefault("class", css)


class ProjectSettingsForm(ServiceForm):
    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autofocus": True}))
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2, "maxlength": 2000}))
    repository_url = forms.CharField(
        label="Repository", max_length=300, required=False, help_text="An SSH or https address."
    )
    ios_bundle_id = forms.CharField(label="iOS bundle ID", max_length=155, required=False)
    android_bundle_id = forms.CharField(label="Android application ID", max_length=155, required=False)
    huawei_bundle_id = forms.CharField(label="Huawei application ID", max_length=155, required=False)


class ProjectForm(ProjectSettingsForm):
    slug = forms.CharField(
        label="Address",
        max_length=60,
        required=False,
        help_text="Part of every address of this project, and not changed later. Empty: made from the name.",
    )
    field_order = ("name", "slug")


class ProjectDeletionForm(ServiceForm):
    confirmation = forms.CharField(
        max_length=100,
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false", "autofocus": True}
        ),
    )


class SecondFactorForm(ServiceForm):
    needs_second_factor = forms.BooleanField(
        label="Members need a second factor",
        required=False,
        help_text="Who has none sees only how to set one up. API tokens go on as they are.",
    )


class RoleForm(ServiceForm):
    role = forms.ChoiceField(choices=Role, widget=forms.RadioSelect)


class MemberForm(RoleForm):
    who = forms.CharField(
        label="Username or e-mail address",
        max_length=254,
        widget=forms.TextInput(attrs={"autofocus": True, "autocapitalize": "none", "autocomplete": "off"}),
        help_text="Of somebody who has an account on this server.",
    )
    field_order = ("who", "role")


class BuildForm(ServiceForm):
    platform = forms.ChoiceField(choices=Platform)
    build_target = forms.ChoiceField(label="Build target", choices=BuildTarget)
    store_version = forms.CharField(
        label="Store version",
        max_length=64,
        help_text="As the store shows it, such as 3.0.0. CodePushes target exactly this version.",
    )
    build_number = forms.CharField(label="Build number", max_length=50, required=False)
    status = forms.ChoiceField(
        label="Build status",
        choices=Build.Status,
        help_text="Pending: to compile the deployment key in first. Only a successful build can receive CodePushes.",
    )
    branch = forms.CharField(max_length=255, required=False)
    commit = forms.CharField(max_length=64, required=False)
    hermes_bytecode_version = forms.IntegerField(
        label="Hermes bytecode version",
        min_value=0,
        required=False,
        help_text="When known, bundles compiled for another version are refused.",
    )
    deployment_key = forms.CharField(
        label="Deployment key",
        max_length=100,
        required=False,
        help_text="Empty: a new one. Your own, when you migrate a build.",
    )


class FilterForm(forms.Form):
    """Filters from the address. A value that means nothing is ignored: links outlive choices."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        style_widgets(self)

    @property
    def chosen(self) -> dict[str, str]:
        """{filter: value} with "" for each that is not set."""
        self.full_clean()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}

    @property
    def is_active(self) -> bool:
        return any(value for name, value in self.chosen.items() if name != "sort")


def search_field(label: str, placeholder: str) -> forms.CharField:
    attrs = {"type": "search", "class": "", "aria-label": label, "placeholder": placeholder}
    return forms.CharField(required=False, widget=forms.TextInput(attrs))


class DayField(forms.CharField):
    """A day as "2026-11-24"; anything else is no day."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label, required=False, widget=forms.TextInput(attrs={"type": "date"}))

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        try:
            return date.fromisoformat(text).isoformat() if text else ""
        except ValueError as failure:
            raise forms.ValidationError("Not a day.") from failure


def _choices(anything: str, choices: Any) -> list[tuple[str, str]]:
    return [("", anything), *choices]


# Accounts are no project's business.
_PROJECT_ACTIONS = [choice for choice in AuditAction.choices if not choice[0].startswith("account.")]


class AuditFilterForm(FilterForm):
    """`actor`: a person's id, "worker", or "left" for people who are in none of these projects any more."""

    project = forms.ChoiceField(label="Project", required=False)
    actor = forms.ChoiceField(label="Who", required=False)
    action = forms.ChoiceField(label="What", choices=_choices("Any action", _PROJECT_ACTIONS), required=False)
    since = DayField("From")
    until = DayField("Until")
    q = search_field("Filter by deployment ID or build ID", "Deployment ID or #build")

    def __init__(self, data: Any, *, projects: Iterable[Project], people: Iterable[User]) -> None:
        super().__init__(data)
        names = [(project.slug, project.name) for project in projects]
        who = [(str(user.pk), name_person(user)) for user in people]
        others = [("worker", "Worker"), ("left", "People who left")]
        cast(forms.ChoiceField, self.fields["project"]).choices = _choices("Any project", names)
        cast(forms.ChoiceField, self.fields["actor"]).choices = _choices("Anybody", [*who, *others])


class ProjectFilterForm(FilterForm):
    q = search_field("Filter by name or bundle ID", "Filter by name or bundle ID")
    platform = forms.ChoiceField(choices=Platform.choices, required=False, widget=forms.HiddenInput)
    sort = forms.ChoiceField(
        label="Sort",
        choices=[("", "Last CodePush, newest"), ("name", "Name"), ("devices", "Active devices")],
        required=False,
    )


class BuildFilterForm(FilterForm):
    platform = forms.ChoiceField(choices=Platform.choices, required=False, widget=forms.HiddenInput)
    store = forms.ChoiceField(
        label="Store status", choices=_choices("Any store status", StoreStatus.choices), required=False
    )
    status = forms.ChoiceField(
        label="Build status", choices=_choices("Any build status", Build.Status.choices), required=False
    )
    target = forms.ChoiceField(
        label="Build target", choices=_choices("Any target", BuildTarget.choices), required=False
    )
    created = forms.ChoiceField(
        label="Created",
        choices=_choices("Created any time", [("7", "Last 7 days"), ("30", "Last 30 days"), ("90", "Last 90 days")]),
        required=False,
    )
    q = search_field("Filter by version, build ID or person", "Version, build ID, person")
    sort = forms.ChoiceField(choices=[("", ""), ("devices", "")], required=False, widget=forms.HiddenInput)
