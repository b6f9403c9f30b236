"""Reads for pages and snapshots. Each says what it costs."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import Count, FilteredRelation, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from builds.models import Build, Project
from builds.querysets import BuildQuerySet, ProjectQuerySet
from deployments.models import Bundle, ChangeRequest, CodePush
from deployments.policy.consequences import Costs, Update
from deployments.policy.label import format_label
from deployments.querysets import CodePushQuerySet


class ReleaseRow(NamedTuple):
    """A build, beside one of its successes (the last six fields are None when it has none)."""

    revision: int
    store_version: str
    status: str
    is_force_updated: bool
    live_store_version: str | None
    codepush_id: int | None
    label_number: int | None
    is_enabled: bool | None
    is_mandatory: bool | None
    rollout_percent: int | None
    package_hash: str | None


class CandidateRow(NamedTuple):
    """An update that may be offered, beside one diff and one patch to it (those fields are None when it has none)."""

    build_revision: int
    label_number: int
    deployment_id: str
    package_hash: str
    storage_name: str
    size_bytes: int
    rollout_percent: int
    is_mandatory: bool
    description: str
    diff_from_hash: str | None
    diff_storage_name: str | None
    diff_size_bytes: int | None
    patch_from_hash: str | None
    patch_storage_name: str | None
    patch_size_bytes: int | None


def load_release_rows(deployment_key: str) -> list[ReleaseRow]:
    """A row per success of the build, highest label first; one row if it has none; no row for an unknown key, nor for
    one of a deleted project: to devices that is the same.

    One query: build and successes together, so that a cold update check costs two in all.
    """
    place = {name: OuterRef(name) for name in ("project_id", "platform", "build_target")}
    rows = (
        Build.objects.filter(deployment_key=deployment_key, project__deleted_at=None)
        .annotate(
            release=FilteredRelation("codepushes", condition=Q(codepushes__status=CodePush.Status.SUCCESS)),
            live_store_version=Subquery(Build.objects.filter(**place).store_live().values("store_version")[:1]),
        )
        .order_by("-release__label_number")
        .values_list(
            "revision",
            "store_version",
            "status",
            "is_force_updated",
            "live_store_version",
            "release__id",
            "release__label_number",
            "release__is_enabled",
            "release__is_mandatory",
            "release__rollout_percent",
            "release__bundle__package_hash",
        )
    )
    return [ReleaseRow._make(row) for row in rows]


def load_candidate_rows(codepush_ids: Iterable[int]) -> list[CandidateRow]:
    """A row per update, diff to its bundle, and patch to it (of each there are few); highest label first. One query."""
    rows = (
        CodePush.objects.filter(pk__in=codepush_ids)
        .by_label_descending()
        .values_list(
            "build__revision",
            "label_number",
            "deployment_id",
            "bundle__package_hash",
            "bundle__storage_name",
            "bundle__size_bytes",
            "rollout_percent",
            "is_mandatory",
            "description",
            "bundle__incoming_diffs__from_bundle__package_hash",
            "bundle__incoming_diffs__storage_name",
            "bundle__incoming_diffs__size_bytes",
            "bundle__incoming_patches__from_bundle__package_hash",
            "bundle__incoming_patches__storage_name",
            "bundle__incoming_patches__size_bytes",
        )
    )
    return [CandidateRow._make(row) for row in rows]


def list_codepushes(build: Build) -> CodePushQuerySet:
    """All of the build, newest first."""
    return CodePush.objects.filter(build=build).newest_first()


def list_related_codepushes(build: Build, *, show: str = "all") -> CodePushQuerySet:
    """Cards of Build Detail, newest first, with what a card shows joined in: one query however many rows.

    `show`: "success", "failed", or anything else for all.
    """
    codepushes = CodePush.objects.filter(build=build)
    if show == "success":
        codepushes = codepushes.successful()
    elif show == "failed":
        codepushes = codepushes.filter(status=CodePush.Status.FAILED)
    return (
        codepushes.select_related("created_by", "bundle", "source")
        # A manifest can be a megabyte; no page reads it.
        .defer("bundle__manifest")
        .newest_first()
    )


def list_rollback_sources(build: Build, live: CodePush) -> CodePushQuerySet:
    """Successes that a rollback from the Live one can go back to, newest first; disabled ones too."""
    return (
        CodePush.objects.filter(build=build, label_number__lt=live.label_number)
        .successful()
        .select_related("bundle", "created_by")
        .defer("bundle__manifest")
        .by_label_descending()
    )


def find_live_codepush(build: Build) -> CodePush | None:
    """The Live CodePush, with its bundle. One query."""
    return (
        CodePush.objects.filter(build=build)
        .servable()
        .select_related("bundle", "created_by")
        .defer("bundle__manifest")
        .by_label_descending()
        .first()
    )


def find_live_by_build(build_ids: Iterable[int]) -> dict[int, CodePush]:
    """{build id: its Live CodePush}, builds without one left out. One query."""
    live = CodePush.objects.live_on(Build.objects.filter(pk__in=build_ids))
    return {codepush.build_id: codepush for codepush in live}


def list_change_requests(build: Build) -> QuerySet[ChangeRequest]:
    """What somebody asked a second person for, newest first, with CodePush and people joined in. One query."""
    requests = ChangeRequest.objects.filter(build=build).order_by("-id")
    return requests.select_related("codepush", "requested_by", "decided_by")


def count_waiting_changes(project: Project) -> int:
    """How many changes of the project wait for a second person. One query."""
    return ChangeRequest.objects.filter(build__project=project, status=ChangeRequest.Status.WAITING).count()


class CodePushCounts(NamedTuple):
    """How many CodePushes a build has, by what became of them."""

    total: int
    successful: int
    failed: int
    unfinished: int


def count_codepushes(build: Build) -> CodePushCounts:
    """One query."""
    codepushes = CodePush.objects.filter(build=build).order_by()
    counts = codepushes.aggregate(
        total=Count("pk"),
        successful=Count("pk", filter=Q(status=CodePush.Status.SUCCESS)),
        failed=Count("pk", filter=Q(status=CodePush.Status.FAILED)),
        unfinished=Count("pk", filter=Q(status__in=(CodePush.Status.PENDING, CodePush.Status.PROCESSING))),
    )
    return CodePushCounts(**counts)


def list_progress(codepushes: CodePushQuerySet) -> list[tuple[Any, ...]]:
    """How far each unfinished one of these is: what the worker writes without stamping the build. One query."""
    unfinished = codepushes.unfinished().order_by("pk")
    return list(unfinished.values_list("pk", "status", "step", "progress_percent", "attempt_count"))


def count_newer(codepushes: CodePushQuerySet, deployment_id: str) -> int:
    """How many of these stand above that one, newest first; 0 when it is not among them. One query."""
    place = codepushes.filter(deployment_id=deployment_id).order_by().values("pk")[:1]
    return codepushes.filter(pk__gt=Subquery(place)).order_by().count()


def map_labels_with_same_bundle(codepushes: Iterable[CodePush]) -> dict[int, set[str]]:
    """{CodePush id: labels of its build under which devices run the same bundle}, its own included. One query."""
    wanted = list(codepushes)
    labels: dict[tuple[int, int | None], set[str]] = {}
    same = CodePush.objects.successful().filter(
        build_id__in={codepush.build_id for codepush in wanted},
        bundle_id__in={codepush.bundle_id for codepush in wanted},
    )
    for build_id, bundle_id, number in same.values_list("build_id", "bundle_id", "label_number"):
        labels.setdefault((build_id, bundle_id), set()).add(format_label(number or 0))
    return {codepush.pk: labels[codepush.build_id, codepush.bundle_id] for codepush in wanted}


def list_updates(build: Build) -> list[Update]:
    """The successes of the build as `consequences` counts with them, lowest label first. One query."""
    rows = CodePush.objects.filter(build=build).successful().order_by("label_number")
    fields = ("label_number", "bundle_id", "is_enabled", "is_mandatory", "rollout_percent")
    # By constraint every success has a label and a bundle.
    return [Update(*row) for row in rows.values_list(*fields)]


def measure_costs(bundle_id: int) -> Costs:
    """What devices download to get this bundle. One query."""
    rows = Bundle.objects.filter(pk=bundle_id).values_list(
        "size_bytes", "incoming_diffs__from_bundle_id", "incoming_diffs__size_bytes"
    )
    # One row per diff; a single one with nothing beside the size when there is none.
    found = list(rows)
    return Costs(found[0][0], {from_id: size_bytes for _, from_id, size_bytes in found if from_id})


def find_same_content(build: Build, content_hash: str) -> CodePush | None:
    """The newest success of the build that carries this content. One query."""
    same = CodePush.objects.filter(build=build, bundle__content_hash=content_hash)
    return same.successful().by_label_descending().first()


def measure_unfinished() -> tuple[dict[str, int], float]:
    """(CodePushes without a result by status, seconds that the oldest of them has waited). One query."""
    rows = (
        CodePush.objects.unfinished().order_by().values("status").annotate(number=Count("id"), since=Min("created_at"))
    )
    found = {row["status"]: row for row in rows}
    counts = {status: found[status]["number"] if status in found else 0 for status in ("pending", "processing")}
    oldest = min((row["since"] for row in found.values()), default=None)
    return counts, max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0.0


def find_next_label_number(build: Build) -> int:
    """The label that the next success of the build gets, if nothing succeeds before. One query."""
    newest = CodePush.objects.filter(build=build).aggregate(newest=Max("label_number"))["newest"]
    return (newest or 0) + 1


def order_by_last_codepush(projects: ProjectQuerySet) -> ProjectQuerySet:
    """Those with the newest CodePush first; those without any last, by name."""
    newest = _with_newest(Build.objects.filter(project=OuterRef("pk"))).values("newest")
    return projects.order_by(Subquery(newest).desc(nulls_last=True), "name", "id")


def find_last_by_project(projects: Iterable[Project]) -> dict[int, CodePush]:
    """{project id: its newest CodePush, with build and creator}. One query."""
    newest = _with_newest(Build.objects.filter(project__in=[project.pk for project in projects])).values("newest")
    codepushes = CodePush.objects.filter(pk__in=newest).select_related("build", "created_by")
    return {codepush.build.project_id: codepush for codepush in codepushes}


def _with_newest(builds: BuildQuerySet) -> Any:
    """{"project", "newest": the ID of its newest CodePush} of each project of these builds.

    By way of builds: one look into an index for each, and not at each CodePush. Named by a range of one build and in
    the order of that index, for else PostgreSQL may look for a build that has none among all CodePushes, newest first.
    """
    of_build = CodePush.objects.filter(build__gte=OuterRef("pk"), build__lte=OuterRef("pk")).order_by("build_id", "-id")
    return builds.order_by().values("project").annotate(newest=Max(Subquery(of_build.values("pk")[:1])))
