"""Shapes of projects and builds in the release API."""

from datetime import datetime
from typing import Annotated, Any, Self

from ninja import Schema
from pydantic import ConfigDict, Field

from builds.models import Build, Project
from release_api.schemas import (
    VERSION,
    WHOLE,
    BuildStatusName,
    BuildTargetName,
    Input,
    Page,
    PlatformName,
    StoreStatusName,
    Text,
    read_name,
)


def _slug_or_name_gives_address(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"required": ["slug"]}, {"properties": {"name": {"pattern": "[A-Za-z0-9]"}}}]


class ProjectIn(Input):
    model_config = ConfigDict(json_schema_extra=_slug_or_name_gives_address)

    name: Annotated[Text, Field(min_length=1, max_length=100)]
    slug: str = Field(
        "", pattern="^[A-Za-z0-9_-]+$", max_length=60, description="Without one it is made from the name."
    )
    description: Annotated[Text, Field(max_length=2000)] = ""
    repository_url: Annotated[Text, Field(max_length=300)] = ""
    ios_bundle_id: Annotated[Text, Field(max_length=155)] = ""
    android_bundle_id: Annotated[Text, Field(max_length=155)] = ""
    huawei_bundle_id: Annotated[Text, Field(max_length=155)] = ""


class ProjectOut(Schema):
    slug: str
    name: str
    description: str
    repository_url: str
    ios_bundle_id: str
    android_bundle_id: str
    huawei_bundle_id: str
    created_at: datetime

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls(**{name: getattr(project, name) for name in cls.model_fields})


class ProjectPage(Page):
    items: list[ProjectOut]


class BuildIn(Input):
    platform: PlatformName
    build_target: BuildTargetName
    store_version: str = Field(
        pattern=VERSION,
        max_length=64,
        description="As the store shows it. CodePushes fit exactly this version.",
        examples=["3.0.0"],
    )
    build_number: Annotated[Text, Field(max_length=50)] = ""
    status: BuildStatusName = Field("pending", description="Only a successful build can receive CodePushes.")
    branch: Annotated[Text, Field(max_length=255)] = ""
    commit: Annotated[Text, Field(max_length=64)] = ""
    hermes_bytecode_version: Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE] | None = Field(
        None, description="When known, bundles compiled for another version are refused."
    )
    deployment_key: str = Field(
        "", pattern="^[A-Za-z0-9_-]{10,100}$", description="Your own, when you migrate a build. Without it: a new one."
    )


class BuildPatch(Input):
    status: BuildStatusName


class StoreStatusIn(Input):
    store_status: StoreStatusName


class BuildOut(Schema):
    id: int
    project: str = Field(description="Its slug.")
    platform: PlatformName
    build_target: BuildTargetName
    store_version: str
    build_number: str
    status: BuildStatusName
    store_status: StoreStatusName
    is_force_updated: bool = Field(description="Its devices are sent to the store, and get no CodePush.")
    deployment_key: str = Field(description="To compile into the binary: what the SDK names this build by.")
    branch: str
    commit: str
    hermes_bytecode_version: int | None
    triggered_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, build: Build) -> Self:
        """No query, if project and who triggered it are there."""
        own = set(cls.model_fields) - {"project", "triggered_by"}
        return cls(
            project=build.project.slug,
            triggered_by=read_name(build.triggered_by),
            **{name: getattr(build, name) for name in own},
        )


class BuildPage(Page):
    items: list[BuildOut]
