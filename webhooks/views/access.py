"""The only road from a user and an address to a webhook; see `builds.access` for projects."""

from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404

from builds.access import ProjectAccess, get_project
from builds.models import Role
from webhooks.models import Delivery, Webhook


def get_webhook(
    user: User | AnonymousUser, slug: str, webhook_id: int, *, role: Role = Role.VIEWER
) -> tuple[ProjectAccess, Webhook]:
    """A webhook of a project that the user may see. Two queries. Raises as `get_project` does."""
    access = get_project(user, slug, role=role)
    webhook = Webhook.objects.filter(project=access.project, pk=webhook_id).first()
    if webhook is None:
        raise Http404(f"{access.project.name} has no such webhook.")
    webhook.project = access.project
    return access, webhook


def get_delivery(
    user: User | AnonymousUser, slug: str, webhook_id: int, delivery_id: int, *, role: Role = Role.VIEWER
) -> tuple[ProjectAccess, Delivery]:
    """A delivery of such a webhook. Three queries. Raises as `get_project` does."""
    access, webhook = get_webhook(user, slug, webhook_id, role=role)
    delivery = Delivery.objects.select_related("replay_of").filter(webhook=webhook, pk=delivery_id).first()
    if delivery is None:
        raise Http404(f"{webhook} has no such delivery. Deliveries are kept for 30 days.")
    delivery.webhook = webhook
    return access, delivery
