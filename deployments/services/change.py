"""The funnel: every change that a device could notice goes through `build_change`.

Lock the build → check → change → audit → stamp, in one transaction. After its commit this process reads
the build anew if it holds it, and every other one when it is told by Redis, or at its next poll.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from builds import audit
from builds.errors import NotAllowedNow, StaleView
from builds.models import AuditAction, Build, BuildTarget, Project
from builds.querysets import BuildQuerySet
from deployments import snapshot_refresh
from deployments.models import ChangeRequest, CodePush
from deployments.selectors import find_live_codepush, find_next_label_number


class ApprovalNeeded(NotAllowedNow):
    """The change waits for a second person: it is asked for (`approvals`), not made."""

    def __init__(self, project: Project) -> None:
        super().__init__(
            f"In {project}, production changes need a second person. Nothing has changed: ask for approval instead."
        )


class ProductionRules(NamedTuple):
    """What the project demands of a change before devices of the build get it. `signing_key`: "" for none."""

    needs_second_person: bool
    approval_hours: int
    signing_key: str


def needs_second_person(build: Build, project: Project) -> bool:
    """Whether changes that widen what devices of the build get wait for approval. `project`: that of the build."""
    return project.needs_second_person and build.build_target == BuildTarget.PRODUCTION


class BuildChange:
    """A locked build in the middle of a change. Valid inside `build_change` only."""

    def __init__(self, build: Build, actor: User | None) -> None:
        self.build = build
        self.actor = actor
        self.is_audited = False

    def require_live(self, expected_label: str | None) -> CodePush | None:
        """The Live CodePush, when it still is the one the person saw (`None`: they did not say; "": they saw none).

        Raises StaleView.
        """
        live = find_live_codepush(self.build)
        label = live.label if live else ""
        if expected_label is not None and expected_label != label:
            now = f"{label} became Live" if label else "The Live CodePush was disabled"
            raise StaleView(f"{now} while this was open. Review again.")
        return live

    @cached_property
    def rules(self) -> ProductionRules:
        """One query, under the lock: the project that was joined in with the build may be older than the lock."""
        project = Project.objects.get(pk=self.build.project_id)
        return ProductionRules(needs_second_person(self.build, project), project.approval_hours, project.signing_key)

    def require_second_person(self, approval: ChangeRequest | None) -> None:
        """Where the build's project wants it, somebody else has approved. Raises ApprovalNeeded."""
        if approval is None and self.rules.needs_second_person:
            raise ApprovalNeeded(self.build.project)

    def next_label_number(self) -> int:
        """Labels are handed out under the build's lock only, so they are gapless and never doubled."""
        return find_next_label_number(self.build)

    def record(
        self,
        action: AuditAction,
        *,
        build: Build | None = None,
        codepush: CodePush | None = None,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        reason: str = "",
    ) -> None:
        build = build or self.build
        audit.record(
            action,
            actor=self.actor,
            project=build.project,
            build=build,
            deployment_id=codepush.deployment_id if codepush else "",
            before=before,
            after=after,
            reason=reason,
        )
        self.is_audited = True


@contextmanager
def build_change(build_id: int, *, actor: User | None) -> Iterator[BuildChange]:
    """The build, locked until the end. On leaving, it is stamped, and published after the commit.

    A body that records nothing changed nothing: then there is no stamp either.
    """
    with transaction.atomic():
        build = _locked().get(pk=build_id)
        change = BuildChange(build, actor)
        yield change
        if change.is_audited:
            _publish([build])


@contextmanager
def codepush_change(codepush_id: int, *, actor: User | None) -> Iterator[tuple[BuildChange, CodePush]]:
    """As `build_change`, for the build of a CodePush, with that CodePush read under the lock."""
    # Lock the build, not the CodePush: labels and Live belong to the build.
    build_id = CodePush.objects.values_list("build_id", flat=True).get(pk=codepush_id)
    with build_change(build_id, actor=actor) as change:
        codepush = CodePush.objects.select_related("source").get(pk=codepush_id)
        yield change, codepush


@contextmanager
def slot_change(build_id: int, *, actor: User | None) -> Iterator[tuple[BuildChange, list[Build]]]:
    """As `build_change`, with all builds of the same slot locked: devices of each may be told of another's version."""
    with transaction.atomic():
        place = Build.objects.get(pk=build_id)
        # In order of id, so that two slot changes cannot wait for each other.
        slot = list(_locked().in_slot_of(place).order_by("id"))
        change = BuildChange(next(build for build in slot if build.pk == build_id), actor)
        yield change, slot
        if change.is_audited:
            _publish(slot)


def _locked() -> BuildQuerySet:
    # of=self: the project is read, not locked.
    return Build.objects.select_for_update(of=("self",)).select_related("project")


def _publish(builds: list[Build]) -> None:
    """Stamp the builds for every web process to see, and tell them once it is committed. See `snapshots`."""
    Build.objects.filter(pk__in=[build.pk for build in builds]).update(revision=F("revision") + 1, changed_at=Now())
    keys = [build.deployment_key for build in builds]
    transaction.on_commit(lambda: snapshot_refresh.tell_of_change(keys))
