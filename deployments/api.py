"""CodePushes over the release API: listed, uploaded, edited, rolled back, promoted, retried, canceled."""

from ninja import File, Form, Router, UploadedFile

from builds.access import get_build_by_id
from builds.models import Build, Role
from deployments import selectors
from deployments.api_schemas import CodePushOut, CodePushPage, CreateIn, EditIn, PromoteIn, RollbackIn
from deployments.models import CodePush
from deployments.services import codepushes, republishing
from deployments.views.access import get_codepush_by_id
from release_api.operations import FORM_TYPE, ApiRequest, read, require_known_fields, write
from release_api.schemas import Limit, ObjectId, Offset, cut

router = Router(tags=["CodePushes"])


@read(router, "/builds/{build_id}/codepushes", answer=CodePushPage)
def list_codepushes(request: ApiRequest, build_id: ObjectId, limit: Limit = 50, offset: Offset = 0) -> CodePushPage:
    """Newest first."""
    _, build = get_build_by_id(request.auth, build_id)
    everything = selectors.list_codepushes(build)
    # First which ones, by the index alone: otherwise all those before them would be joined, sorted and left out.
    ids, count = cut(everything.values_list("pk", flat=True), limit, offset)
    rows = selectors.list_related_codepushes(build).with_is_live().filter(pk__in=ids)
    return CodePushPage(items=[CodePushOut.of(codepush, build) for codepush in rows], count=count)


@write(router, "POST", "/builds/{build_id}/codepushes", answer=CodePushOut, status=202, body=FORM_TYPE)
def create_codepush(
    request: ApiRequest, build_id: ObjectId, values: Form[CreateIn], bundle: File[UploadedFile]
) -> CodePushOut:
    """A new update with this bundle. A worker checks it; on success it gets the next label and is Live."""
    require_known_fields(request, fields=set(CreateIn.model_fields), files={"bundle"})
    _, build = get_build_by_id(request.auth, build_id, role=Role.RELEASE_MANAGER)
    return _describe(
        codepushes.create_codepush(build.pk, actor=request.auth, upload=bundle, **values.model_dump()), build
    )


@read(router, "/codepushes/{deployment_id}", answer=CodePushOut)
def get_codepush(request: ApiRequest, deployment_id: str) -> CodePushOut:
    build, codepush = get_codepush_by_id(request.auth, deployment_id)
    return CodePushOut.of(codepush, build)


@write(router, "PATCH", "/codepushes/{deployment_id}", answer=CodePushOut)
def edit_codepush(request: ApiRequest, deployment_id: str, values: EditIn) -> CodePushOut:
    """Only what is given changes, for devices that have not received it yet."""
    build, codepush = _get(request, deployment_id)
    return _describe(codepushes.edit_codepush(codepush.pk, actor=request.auth, **values.model_dump()), build)


@write(router, "POST", "/codepushes/{deployment_id}/rollback", answer=CodePushOut, status=201)
def roll_back(request: ApiRequest, deployment_id: str, values: RollbackIn) -> CodePushOut:
    """From the Live one: a new update with the bundle of an earlier success is Live. No worker is needed."""
    build, codepush = _get(request, deployment_id)
    given = values.model_dump(exclude={"to"})
    return _describe(republishing.roll_back(codepush.pk, to_label=values.to, actor=request.auth, **given), build)


@write(router, "POST", "/codepushes/{deployment_id}/promote", answer=CodePushOut, status=201)
def promote(request: ApiRequest, deployment_id: str, values: PromoteIn = PromoteIn()) -> CodePushOut:
    """A new update with the bundle of this success is Live. No worker is needed."""
    build, codepush = _get(request, deployment_id)
    return _describe(republishing.promote(codepush.pk, actor=request.auth, **values.model_dump()), build)


@write(router, "POST", "/codepushes/{deployment_id}/retry", answer=CodePushOut)
def retry(request: ApiRequest, deployment_id: str) -> CodePushOut:
    """A failed one runs again, with the same bundle and settings."""
    build, codepush = _get(request, deployment_id)
    return _describe(codepushes.retry(codepush.pk, actor=request.auth), build)


@write(router, "POST", "/codepushes/{deployment_id}/cancel", answer=CodePushOut)
def cancel(request: ApiRequest, deployment_id: str) -> CodePushOut:
    """A pending or processing one stops, gets no label, and cannot be resumed."""
    build, codepush = _get(request, deployment_id)
    return _describe(codepushes.cancel(codepush.pk, actor=request.auth), build)


def _get(request: ApiRequest, deployment_id: str) -> tuple[Build, CodePush]:
    return get_codepush_by_id(request.auth, deployment_id, role=Role.RELEASE_MANAGER)


def _describe(codepush: CodePush, build: Build) -> CodePushOut:
    """A CodePush as a service left it. One query."""
    return CodePushOut.of(selectors.list_related_codepushes(build).with_is_live().get(pk=codepush.pk), build)
