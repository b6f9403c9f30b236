"""Tokens as pages: a person's own, and those of a project. A new one is shown once, in the answer that made it."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from builds.access import ProjectAccess, get_project, require_no_locked_project
from builds.forms import ServiceForm
from builds.models import Project, Role
from builds.paging import get_page
from builds.selectors import list_projects
from builds.views.form_page import FormPage
from release_api import tokens
from release_api.forms import ALL_PROJECTS, ProjectTokenForm, TokenForm
from release_api.models import ApiToken


@require_safe
@login_required
def list_my_tokens(request: HttpRequest) -> HttpResponse:
    return _show_list(request, "release_api/tokens.html", tokens.list_tokens_of(cast(User, request.user)))


@require_safe
@login_required
def list_project_tokens(request: HttpRequest, slug: str) -> HttpResponse:
    access = get_project(request.user, slug, role=Role.ADMIN)
    return _show_list(request, "release_api/project_tokens.html", tokens.list_tokens_in(access.project), access=access)


def _show_list(request: HttpRequest, template: str, listed: Any, **shown: Any) -> HttpResponse:
    page = get_page(listed, request.GET.get("page"))
    now = timezone.now()
    rows = [(token, tokens.find_state(token, now)) for token in page.object_list]
    return render(request, template, {"page": page, "rows": rows, **shown})


class _NewTokenPage(FormPage):
    """The answer to the POST is the page that shows the token: nothing keeps its text, not even a session."""

    template_name = "release_api/token_new.html"
    access: ProjectAccess | None = None
    created: tuple[ApiToken, str]

    def respond(self, url: str, message: str) -> HttpResponse:
        token, text = self.created
        shown = {"token": token, "text": text, "back_url": url, "access": self.access}
        response = render(self.request, "release_api/token_created.html", shown)
        response.headers["Cache-Control"] = "no-store"
        return response

    def describe(self) -> dict[str, Any]:
        return {"access": self.access}

    def create(self, project: Project | None, values: dict[str, Any]) -> tuple[str, str]:
        self.created = tokens.create_token(actor=self.actor, project=project, **values)
        return self.back_url(), "The token is created."


class NewToken(_NewTokenPage):
    form_class = TokenForm

    def make_form(self, *args: Any, **kwargs: Any) -> ServiceForm:
        return TokenForm(*args, projects=list_projects(self.actor), **kwargs)

    def back_url(self) -> str:
        return reverse("token_list")

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        slug = values.pop("project")
        if slug != ALL_PROJECTS:
            return self.create(get_project(self.actor, slug).project, values)
        # Tokens are asked for no second factor: who has none must not get around it by one.
        require_no_locked_project(self.actor)
        return self.create(None, values)


class NewProjectToken(_NewTokenPage):
    form_class = ProjectTokenForm
    access: ProjectAccess

    def load(self, **address: Any) -> None:
        self.access = get_project(self.request.user, address["slug"], role=Role.ADMIN)

    def back_url(self) -> str:
        return reverse("project_token_list", args=[self.access.project.slug])

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        return self.create(self.access.project, values)


class RevokeToken(FormPage):
    template_name = "release_api/token_revoke.html"
    access: ProjectAccess | None = None
    token: ApiToken

    def load(self, **address: Any) -> None:
        self.token = _get(tokens.list_tokens_of(self.actor), address["token_id"])

    def back_url(self) -> str:
        return reverse("token_list")

    def describe(self) -> dict[str, Any]:
        return {"access": self.access, "token": self.token}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        tokens.revoke_token(self.token, actor=self.actor)
        return self.back_url(), f"{self.token} is revoked. Requests with it are refused from now on."


class RevokeProjectToken(RevokeToken):
    access: ProjectAccess

    def load(self, **address: Any) -> None:
        self.access = get_project(self.request.user, address["slug"], role=Role.ADMIN)
        self.token = _get(tokens.list_tokens_in(self.access.project), address["token_id"])

    def back_url(self) -> str:
        return reverse("project_token_list", args=[self.access.project.slug])


def _get(mine: Any, token_id: int) -> ApiToken:
    token: ApiToken | None = mine.filter(pk=token_id).first()
    if token is None:
        raise Http404(f"There is no token {token_id} here.")
    return token
