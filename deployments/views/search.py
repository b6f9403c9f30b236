"""From a few typed characters to a build, a CodePush or a project."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from builds import selectors
from builds.models import Project
from deployments import listings
from deployments.views.addresses import build_url, card_url
from deployments.views.deployments import DeploymentRow, make_rows

# Of each kind. Whoever gets more has typed too little.
MAX_HITS = 10


@dataclass(frozen=True)
class Hits:
    """What was found, best first, at most MAX_HITS of a kind; `more`: kinds of which there are others still."""

    builds: list[Any]
    deployments: list[DeploymentRow]
    projects: list[Project]
    more: set[str]
    exact_urls: list[str]

    @property
    def is_empty(self) -> bool:
        return not (self.builds or self.deployments or self.projects)


@require_safe
@login_required
def search(request: HttpRequest) -> HttpResponse:
    """A single thing that the text names exactly is opened at once."""
    q = " ".join(request.GET.get("q", "").split())
    hits = _find(request.user, q) if q else None
    if hits and len(hits.exact_urls) == 1:
        return HttpResponseRedirect(hits.exact_urls[0])
    return render(request, "deployments/search.html", {"q": q, "hits": hits, "max_hits": MAX_HITS})


def _find(user: User | AnonymousUser, q: str) -> Hits:
    """Three queries."""
    builds: list[Any] = list(selectors.find_builds(user, q)[: MAX_HITS + 1])
    deployments = make_rows(listings.find_by_deployment_id(user, q)[: MAX_HITS + 1])
    named = [row.codepush for row in deployments if row.codepush.deployment_id == listings.read_deployment_id(q)]
    projects = list(selectors.list_projects(user, q=q)[: MAX_HITS + 1])
    kinds: dict[str, list[Any]] = {"builds": builds, "deployments": deployments, "projects": projects}
    return Hits(
        builds=builds[:MAX_HITS],
        deployments=deployments[:MAX_HITS],
        projects=projects[:MAX_HITS],
        more={kind for kind, found in kinds.items() if len(found) > MAX_HITS},
        exact_urls=[
            *(build_url(build) for build in builds if build.is_exact),
            *(card_url(found.build, found.deployment_id) for found in named),
            *(reverse("project_detail", args=[project.slug]) for project in projects if _is_named(project, q)),
        ],
    )


def _is_named(project: Project, q: str) -> bool:
    return q.casefold() in {name.casefold() for name in (project.name, *project.bundle_ids.values())}
