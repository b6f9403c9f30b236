"""What the pages of tokens accept."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms

from builds.forms import ServiceForm
from builds.models import Project, Role

_NEVER, ALL_PROJECTS = "never", "*"


class ProjectTokenForm(ServiceForm):
    name = forms.CharField(
        max_length=100,
        help_text="What it is for, such as “GitHub Actions”.",
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        choices=Role.choices,
        initial=Role.RELEASE_MANAGER,
        help_text="The most it may do. In each project it never may do more than you.",
    )
    expires_in_days = forms.TypedChoiceField(
        label="Expires",
        choices=[
            ("7", "In 7 days"),
            ("30", "In 30 days"),
            ("90", "In 90 days"),
            ("365", "In a year"),
            (_NEVER, "Never"),
        ],
        initial="90",
        coerce=lambda choice: None if choice == _NEVER else int(choice),
    )


class TokenForm(ProjectTokenForm):
    project = forms.ChoiceField(label="Reaches", help_text="One project is safer: the token opens nothing else.")
    field_order = ("name", "project", "role", "expires_in_days")

    def __init__(self, *args: Any, projects: Iterable[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(ALL_PROJECTS, "All my projects"), *((project.slug, project.name) for project in projects)]
        cast(forms.ChoiceField, self.fields["project"]).choices = cast(Any, choices)
