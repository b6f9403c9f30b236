"""Bundles in parts over the release API: begun, and what is still missing. `create_codepush` uses them up."""

from datetime import datetime
from typing import Annotated, Self

from ninja import Router, Schema
from pydantic import Field

from builds.access import get_build_by_id
from builds.models import Role
from deployments.services import bucket_uploads
from deployments.services.bucket_uploads import Part
from deployments.views.access import get_bucket_upload
from release_api.models import BucketUpload
from release_api.operations import ApiRequest, read, write
from release_api.schemas import WHOLE, Input, ObjectId

router = Router(tags=["Uploads"])


class UploadIn(Input):
    size_bytes: Annotated[int, Field(ge=1, description="Of the whole bundle."), WHOLE]


class UploadOut(Schema):
    upload_id: str
    build_id: int
    size_bytes: int
    part_size_bytes: int = Field(description="Of each part but the last.")
    expires_at: datetime

    @classmethod
    def of(cls, upload: BucketUpload) -> Self:
        return cls(**{name: getattr(upload, name) for name in UploadOut.model_fields})


class PartOut(Schema):
    number: int
    offset: int = Field(description="Of its first byte in the bundle.")
    size_bytes: int
    url: str = Field(description="Where to PUT it within the hour, without a token.")

    @classmethod
    def of(cls, part: Part) -> Self:
        return cls(**part._asdict())


class UploadStateOut(UploadOut):
    missing_parts: list[PartOut] = Field([], description="None: the bundle can be released.")


@write(router, "POST", "/builds/{build_id}/uploads", answer=UploadOut, status=201)
def begin_upload(request: ApiRequest, build_id: ObjectId, values: UploadIn) -> UploadOut:
    """Where bundles are kept in object storage: a large one can be sent there in parts. Otherwise 409."""
    _, build = get_build_by_id(request.auth, build_id, role=Role.RELEASE_MANAGER)
    return UploadOut.of(bucket_uploads.begin_upload(build, actor=request.auth, size_bytes=values.size_bytes))


@read(router, "/uploads/{upload_id}", answer=UploadStateOut)
def get_upload(request: ApiRequest, upload_id: str) -> UploadStateOut:
    """Which parts are missing, and where to send them. After a fault, ask again and go on."""
    upload = get_bucket_upload(request.auth, upload_id)
    state = UploadStateOut.of(upload)
    state.missing_parts = [PartOut.of(part) for part in bucket_uploads.list_missing_parts(upload)]
    return state
