"""Projects and builds over the release API."""

from typing import Annotated

from django.core.exceptions import PermissionDenied
from ninja import Query, Router

from builds import selectors, services
from builds.access import get_build_by_id, get_project
from builds.actors import TokenUser
from builds.api_schemas import BuildIn, BuildOut, BuildPage, BuildPatch, ProjectIn, ProjectOut, ProjectPage
from builds.models import Build, Role
from deployments.services.build_status import set_build_status
from release_api.operations import ApiRequest, read, write
from release_api.schemas import VERSION, BuildStatusName, BuildTargetName, Limit, ObjectId, Offset, PlatformName, cut

projects = Router(tags=["Projects"])
builds = Router(tags=["Builds"])


@read(projects, "/projects", answer=ProjectPage)
def list_projects(request: ApiRequest, limit: Limit = 50, offset: Offset = 0) -> ProjectPage:
    """Those that the token reaches, by name."""
    rows, count = cut(selectors.list_projects(request.auth), limit, offset)
    return ProjectPage(items=[ProjectOut.of(project) for project in rows], count=count)


@write(projects, "POST", "/projects", answer=ProjectOut, status=201)
def create_project(request: ApiRequest, values: ProjectIn) -> ProjectOut:
    """The person of the token is its first admin. A token of one project, or of a lower role, makes none."""
    _require_unlimited(request.auth)
    return ProjectOut.of(services.create_project(actor=request.auth, **values.model_dump()))


def _require_unlimited(user: TokenUser) -> None:
    # Whoever makes a project is its admin: through a token that may be neither admin nor elsewhere, that is too much.
    if user.limit.project_id is not None or user.limit.role != Role.ADMIN:
        raise PermissionDenied("Only a token with the Admin role and for all projects can create a project.")


@read(builds, "/projects/{slug}/builds", answer=BuildPage)
def list_builds(
    request: ApiRequest,
    slug: str,
    platform: PlatformName | None = None,
    build_target: BuildTargetName | None = None,
    status: BuildStatusName | None = None,
    store_version: Annotated[str, Query(pattern=VERSION, max_length=64)] | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> BuildPage:
    """Newest first."""
    project = get_project(request.auth, slug).project
    found = selectors.list_project_builds(
        project, platform=platform or "", target=build_target or "", status=status or ""
    ).select_related("project", "triggered_by")
    rows, count = cut(found.filter(store_version=store_version) if store_version else found, limit, offset)
    return BuildPage(items=[BuildOut.of(build) for build in rows], count=count)


@write(builds, "POST", "/projects/{slug}/builds", answer=BuildOut, status=201)
def register_build(request: ApiRequest, slug: str, values: BuildIn) -> BuildOut:
    """A build with a deployment key of its own, to compile in: register it before compiling."""
    project = get_project(request.auth, slug, role=Role.RELEASE_MANAGER).project
    return BuildOut.of(services.register_build(project, actor=request.auth, **values.model_dump()))


@read(builds, "/builds/{build_id}", answer=BuildOut)
def get_build(request: ApiRequest, build_id: ObjectId) -> BuildOut:
    return BuildOut.of(get_build_by_id(request.auth, build_id)[1])


@write(builds, "PATCH", "/builds/{build_id}", answer=BuildOut)
def update_build(request: ApiRequest, build_id: ObjectId, values: BuildPatch) -> BuildOut:
    """How compiling ended. Only a successful build can receive CodePushes; a build that finished stays as it is."""
    _, build = get_build_by_id(request.auth, build_id, role=Role.RELEASE_MANAGER)
    return describe_changed(set_build_status(build.pk, actor=request.auth, status=values.status))


def describe_changed(build: Build) -> BuildOut:
    """A build as a service left it. Two queries."""
    return BuildOut.of(selectors.reload_build(build))
