"""The rollback-rate alert: told once of each CodePush, while it is Live, where somebody listens."""

from django.db import transaction

from builds import audit
from builds.models import AuditAction, AuditEntry, Build
from deployments.models import CodePush
from metrics.attention import find_attention
from webhooks.events import Event
from webhooks.models import Webhook


def raise_alerts() -> None:
    """Each Live CodePush that devices go back from unusually often has its alert, as an audit entry.

    Of projects with an active webhook that follows it. At most seven queries, and four more for each new alert.
    """
    active = Webhook.objects.filter(project__deleted_at=None, is_active=True).values_list("project_id", "events")
    projects = {project_id for project_id, events in active if Event.ROLLBACK_ALERT in events}
    if not projects:
        return
    builds = Build.objects.filter(project_id__in=projects)
    live = {codepush.pk: codepush for codepush in CodePush.objects.live_on(builds)}
    outliers = {pk: found.sentence for pk, found in find_attention(live.values()).items() if found.is_outlier}
    told = _find_told([live[pk] for pk in outliers])
    for pk, sentence in outliers.items():
        if live[pk].deployment_id not in told:
            _tell(live[pk], sentence)


def _tell(codepush: CodePush, sentence: str) -> None:
    with transaction.atomic():
        # Two rounds at once would both find that nobody was told yet. no_key: audit entries point to this row.
        locked = Build.objects.select_for_update(of=("self",), no_key=True).select_related("project")
        build = locked.get(pk=codepush.build_id)
        if not _find_told([codepush]):
            audit.record(
                AuditAction.ROLLBACK_ALERT_SENT,
                actor=None,
                project=build.project,
                build=build,
                deployment_id=codepush.deployment_id,
                after={"label": codepush.label, "alert": sentence},
            )


def _find_told(codepushes: list[CodePush]) -> set[str]:
    wanted = [codepush.deployment_id for codepush in codepushes]
    told = AuditEntry.objects.filter(action=AuditAction.ROLLBACK_ALERT_SENT, deployment_id__in=wanted)
    return set(told.order_by().values_list("deployment_id", flat=True))
