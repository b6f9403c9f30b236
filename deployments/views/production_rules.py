"""What a project demands before devices of production builds get something: settings, for its admins."""

from typing import Any

from django.urls import reverse

from builds.access import ProjectAccess, get_project
from builds.models import Role
from builds.views.form_page import FormPage
from deployments.forms import SecondPersonForm, SigningKeyForm
from deployments.selectors import count_waiting_changes
from deployments.services import production_rules


class ProductionRulesPage(FormPage):
    access: ProjectAccess

    def load(self, **address: Any) -> None:
        self.access = get_project(self.request.user, address["slug"], role=Role.ADMIN)

    def back_url(self) -> str:
        return reverse("project_settings", args=[self.access.project.slug])

    def describe(self) -> dict[str, Any]:
        return {"access": self.access}


class SetSecondPerson(ProductionRulesPage):
    form_class = SecondPersonForm
    template_name = "deployments/second_person.html"

    def initial(self) -> dict[str, Any]:
        project = self.access.project
        return {"needs_second_person": project.needs_second_person, "approval_hours": project.approval_hours}

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "waiting_count": count_waiting_changes(self.access.project)}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        project = production_rules.set_second_person(self.access.project.pk, actor=self.actor, **values)
        state = "a" if project.needs_second_person else "no"
        return self.back_url(), f"Production in {project} needs {state} second person now."


class SetSigningKey(ProductionRulesPage):
    form_class = SigningKeyForm
    template_name = "deployments/signing_key.html"

    def initial(self) -> dict[str, Any]:
        return {"signing_key": self.access.project.signing_key}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        project = production_rules.set_signing_key(self.access.project.pk, actor=self.actor, **values)
        if not project.signing_key:
            return self.back_url(), f"Bundles of {project} need no signature now."
        return self.back_url(), f"Bundles of {project} must be signed now."
