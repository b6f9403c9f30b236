"""The record of every change. A leaf: any service may call it, in the transaction of what it changes."""

from typing import Any

from django.contrib.auth.models import User
from django.dispatch import Signal

from builds.actors import name_actor
from builds.models import AuditAction, AuditEntry, Build, Project
from telemetry import context

# Sent with each `entry`, in its transaction: whoever follows what happens writes beside it, and nothing gets lost.
recorded = Signal()


def record(
    action: AuditAction,
    *,
    actor: User | None,
    project: Project | None,
    build: Build | None = None,
    deployment_id: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """An audit entry stands beside the change, or neither does.

    `project` None: it is the actor's own account that changed.
    `before` and `after`: plain JSON values, only what changed, and in `after` also what it came from.
    """
    entry = AuditEntry.objects.create(
        project=project,
        build=build,
        deployment_id=deployment_id,
        action=action,
        actor=actor,
        actor_name=name_actor(actor),
        before=before or {},
        after=after or {},
        reason=reason,
        address=context.current().get("address", ""),
    )
    recorded.send(sender=AuditEntry, entry=entry)
    return entry
