"""What is left of a project a month after it was deleted: its audit log, and the rows that the log names.

Rows go in short transactions, so that nobody waits, and a worker that dies leaves a rest for the next night. Stored
bundles follow when housekeeping finds that nobody carries them. Reports go when they are old, as all do.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import transaction
from django.utils import timezone

from builds import audit
from builds.models import AuditAction, Project
from builds.querysets import DELETED_KEPT_FOR
from deployments.models import ChangeRequest, CodePush, Upload
from metrics.models import BuildTotals, Device, DeviceFact, ReleaseCounter, ReleaseHour, Software
from metrics.position import lock_position
from release_api.models import BucketUpload

logger = logging.getLogger(__name__)

_DEVICES_PER_BATCH = 5000
_CODEPUSHES_PER_BATCH = 200


def purge_deleted_projects(now: datetime) -> int:
    """Of no project that was deleted a month ago is anything left to be had back. Returns how many were purged."""
    due = Project.objects.filter(deleted_at__lte=now - DELETED_KEPT_FOR, purged_at=None).order_by("deleted_at", "pk")
    projects = list(due)
    for project in projects:
        purge_project(project)
    return len(projects)


def purge_project(project: Project) -> None:
    """Numbers, CodePushes, members, tokens and webhooks are gone. Its address is free again.

    Project and builds stay, for the audit log to name; so nobody gets a deployment key that phones may still send.
    """
    for build_id in project.builds.order_by("pk").values_list("pk", flat=True):
        _delete_numbers(build_id)
        Upload.objects.filter(build_id=build_id).delete()
        BucketUpload.objects.filter(build_id=build_id).delete()
        ChangeRequest.objects.filter(build_id=build_id).delete()
        _delete_codepushes(build_id)
    with transaction.atomic():
        project.webhooks.all().delete()
        project.api_tokens.all().delete()
        project.memberships.all().delete()
        project.purged_at = timezone.now()
        # No address that a person could choose.
        before, project.slug = project.slug, f"~{project.pk}"
        project.save(update_fields=["purged_at", "slug"])
        audit.record(AuditAction.PROJECT_PURGED, actor=None, project=project, before={"slug": before})
    logger.info("project=%s purged", project.pk)


def _delete_numbers(build_id: int) -> None:
    # Reports do not count for it any more (`BuildQuerySet.recoverable`): what is deleted does not come back.
    devices = Device.objects.filter(build_id=build_id).order_by("client_hash").values_list("client_hash", flat=True)
    while hashes := list(devices[:_DEVICES_PER_BATCH]):
        with transaction.atomic():
            lock_position()
            Device.objects.filter(build_id=build_id, client_hash__in=hashes).delete()
    facts = DeviceFact.objects.filter(build_id=build_id).order_by("label_number", "event", "client_hash")
    while batch := list(facts.values_list("label_number", "event", "client_hash")[:_DEVICES_PER_BATCH]):
        _delete_facts(build_id, batch)
    with transaction.atomic():
        lock_position()
        for table in (BuildTotals, ReleaseCounter, ReleaseHour, Software):
            table.objects.filter(build_id=build_id).delete()


def _delete_facts(build_id: int, batch: Iterable[tuple[Any, ...]]) -> None:
    with transaction.atomic():
        lock_position()
        for (label_number, event), rows in groupby(batch, key=lambda row: row[:2]):
            of_release = DeviceFact.objects.filter(build_id=build_id, label_number=label_number, event=event)
            of_release.filter(client_hash__in=[row[2] for row in rows]).delete()


def _delete_codepushes(build_id: int) -> None:
    # A copy comes after what it copies: from the newest on, each is one that no other refers to.
    newest = CodePush.objects.filter(build_id=build_id).newest_first()
    while batch := list(newest[:_CODEPUSHES_PER_BATCH]):
        with transaction.atomic():
            for codepush in batch:
                codepush.delete()
