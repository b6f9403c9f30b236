"""CodePushes across all projects of a person. Each read says what it costs."""

import re
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, Q, QuerySet

from builds.models import Build, Project
from builds.querysets import BuildQuerySet
from deployments.models import ChangeRequest, CodePush
from deployments.querysets import CodePushQuerySet

# Crockford's base 32, as deployment IDs are made of; "dpl_" alone would name every one.
_DEPLOYMENT_ID = re.compile(r"dpl_[0-9a-hjkmnp-tv-z]{1,28}", re.IGNORECASE)


def count_running(user: User | AnonymousUser) -> int:
    """How many CodePushes of the user's projects are pending or processing. One query, over unfinished ones only."""
    if not user.is_authenticated:
        return 0
    return list_visible(user).unfinished().order_by().count()


def list_running(user: User | AnonymousUser, *, status: str = "", platform: str = "", q: str = "") -> CodePushQuerySet:
    """Pending and processing ones, newest first; none when another status is asked for. One query."""
    running = _list(user, platform=platform, q=q).unfinished()
    return running if status in ("", "running") else running.none()


def list_finished(user: User | AnonymousUser, *, status: str = "", platform: str = "", q: str = "") -> CodePushQuerySet:
    """What became of the others, newest first, with `is_live`. `status`: "live", "success", "failed", "canceled".

    One query; two for what is Live.
    """
    finished = _list(user, platform=platform, q=q).finished()
    if status == "live":
        # Read, not joined: among so many tables PostgreSQL would begin with all that ever finished.
        live = CodePush.objects.live_on(_list_builds(user)).values_list("pk", flat=True)
        return finished.filter(pk__in=list(live)).with_is_live()
    if status == "running":
        return finished.none()
    return (finished.filter(status=status) if status else finished).with_is_live()


def list_live(user: User | AnonymousUser) -> CodePushQuerySet:
    """What is Live on builds that get updates, with build and project. One query."""
    live = CodePush.objects.live_on(_list_builds(user).filter(is_force_updated=False))
    return live.select_related("build__project").newest_first()


def list_unanswered_failures(user: User | AnonymousUser, *, since: datetime) -> CodePushQuerySet:
    """Failed ones that nobody retried or followed by another on the same build, newest first. One query."""
    # A retry makes the failed one itself pending.
    later = CodePush.objects.filter(build=OuterRef("build"), pk__gt=OuterRef("pk"))
    failed = list_visible(user).filter(status=CodePush.Status.FAILED, finished_at__gte=since)
    unanswered = failed.exclude(Exists(later.exclude(status=CodePush.Status.CANCELED)))
    return unanswered.select_related("build__project").newest_first()


def list_waiting_changes(user: User | AnonymousUser) -> QuerySet[ChangeRequest]:
    """What waits for a second person in the user's projects, newest first. One query."""
    waiting = ChangeRequest.objects.filter(
        status=ChangeRequest.Status.WAITING, build__project__in=Project.objects.visible_to(user)
    )
    return waiting.select_related("build__project", "codepush", "requested_by").order_by("-id")


def find_by_deployment_id(user: User | AnonymousUser, text: str) -> CodePushQuerySet:
    """Those whose deployment ID is, or begins with, the text; in any case of letters, newest first. One query."""
    beginning = read_deployment_id(text)
    if not beginning:
        return CodePush.objects.none()
    return _list(user).filter(deployment_id__startswith=beginning).with_is_live()


def read_deployment_id(text: str) -> str:
    """The text as deployment IDs are written; "" when none can begin so."""
    return f"dpl_{text[4:].upper()}" if _DEPLOYMENT_ID.fullmatch(text) else ""


def list_visible(user: User | AnonymousUser) -> CodePushQuerySet:
    """All CodePushes of the user's projects."""
    return CodePush.objects.filter(build__project__in=Project.objects.visible_to(user))


def _list_builds(user: User | AnonymousUser) -> BuildQuerySet:
    return Build.objects.filter(project__in=Project.objects.visible_to(user))


def _list(user: User | AnonymousUser, *, platform: str = "", q: str = "") -> CodePushQuerySet:
    """With project, build, creator and source joined in; the bundle stays away, for its manifest is large."""
    codepushes = list_visible(user)
    if platform:
        codepushes = codepushes.filter(build__platform=platform)
    if q:
        codepushes = codepushes.filter(
            Q(description__icontains=q)
            | Q(deployment_id=read_deployment_id(q))
            | Q(build__store_version=q)
            | Q(build__project__name__icontains=q)
            | Q(created_by__username__icontains=q)
            | Q(created_by__first_name__icontains=q)
            | Q(created_by__last_name__icontains=q)
        )
    return codepushes.select_related("build__project", "created_by", "source").newest_first()
