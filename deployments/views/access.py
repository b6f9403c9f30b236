"""The only road from a user and an address to a CodePush; see `builds.access` for projects and builds."""

from typing import cast

from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404

from builds.access import ProjectAccess, get_build, get_build_by_id
from builds.models import Build, Role
from deployments.models import ChangeRequest, CodePush
from deployments.selectors import list_change_requests, list_related_codepushes
from deployments.services import bucket_uploads
from deployments.services.bucket_uploads import NoSuchUpload
from release_api.models import BucketUpload


def get_codepush(
    user: User | AnonymousUser, slug: str, build_id: int, deployment_id: str, *, role: Role = Role.VIEWER
) -> tuple[ProjectAccess, Build, CodePush]:
    """A CodePush of a build that the user may see, with its bundle and source. Two queries.

    Raises Http404 and PermissionDenied as `get_build` does.
    """
    access, build = get_build(user, slug, build_id, role=role)
    codepush = list_related_codepushes(build).filter(deployment_id=deployment_id).first()
    if codepush is None:
        raise Http404(f"{build} has no CodePush {deployment_id!r}.")
    codepush.build = build
    return access, build, codepush


def get_codepush_by_id(
    user: User | AnonymousUser, deployment_id: str, *, role: Role = Role.VIEWER
) -> tuple[Build, CodePush]:
    """As `get_codepush`, for who names neither project nor build; with `is_live`. Three queries."""
    build_id = CodePush.objects.filter(deployment_id=deployment_id).values_list("build_id", flat=True).first()
    try:
        # No build has the ID 0: what is not there and what is not theirs take the same road, with the same words.
        _, build = get_build_by_id(user, build_id or 0, role=role)
    except Http404 as absent:
        raise Http404(f"There is no CodePush {deployment_id!r}, or you are not a member of its project.") from absent
    codepush = list_related_codepushes(build).with_is_live().get(deployment_id=deployment_id)
    codepush.build = build
    return build, codepush


def get_change_request(
    user: User | AnonymousUser, slug: str, build_id: int, request_id: int, *, role: Role = Role.VIEWER
) -> tuple[ProjectAccess, Build, ChangeRequest]:
    """A change request on a build that the user may see, with its CodePush. Two queries.

    Raises Http404 and PermissionDenied as `get_build` does.
    """
    access, build = get_build(user, slug, build_id, role=role)
    request = list_change_requests(build).filter(pk=request_id).first()
    if request is None:
        raise Http404(f"{build} has no change request {request_id}.")
    request.build = build
    return access, build, request


def get_change_request_by_id(user: User | AnonymousUser, request_id: int, *, role: Role = Role.VIEWER) -> ChangeRequest:
    """As `get_change_request`, for who names neither project nor build. Three queries."""
    build_id = ChangeRequest.objects.filter(pk=request_id).values_list("build_id", flat=True).first()
    try:
        # As for CodePushes: one road, and the same words.
        _, build = get_build_by_id(user, build_id or 0, role=role)
    except Http404 as absent:
        raise Http404(f"There is no change request {request_id}, or you are not a member of its project.") from absent
    request = list_change_requests(build).get(pk=request_id)
    request.build = build
    return request


def get_codepush_pair(
    user: User | AnonymousUser, slug: str, build_id: int, deployment_id: str, other_id: str
) -> tuple[ProjectAccess, Build, CodePush, CodePush]:
    """Two CodePushes of a build that the user may see, which may be one and the same. Two queries.

    Raises Http404 and PermissionDenied as `get_build` does.
    """
    access, build = get_build(user, slug, build_id)
    found = {
        c.deployment_id: c for c in CodePush.objects.filter(build=build, deployment_id__in=[deployment_id, other_id])
    }
    for wanted in (deployment_id, other_id):
        if wanted not in found:
            raise Http404(f"{build} has no CodePush {wanted!r}.")
        found[wanted].build = build
    return access, build, found[deployment_id], found[other_id]


def get_bucket_upload(user: User | AnonymousUser, upload_id: str) -> BucketUpload:
    """One that this user began, and may still release on its build. What is not theirs sounds like what is not there.

    Raises Http404, PermissionDenied.
    """
    upload = BucketUpload.objects.filter(upload_id=upload_id).first()
    try:
        _, build = get_build_by_id(user, upload.build_id if upload else 0, role=Role.RELEASE_MANAGER)
        return bucket_uploads.find_upload(upload_id, build=build, actor=cast(User, user))
    except (Http404, NoSuchUpload) as absent:
        raise Http404(f"You have no upload {upload_id!r}: it was used already, or is older than a day.") from absent
