"""One delivery: what was sent, what came back each time, and sending it again."""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from builds.access import ProjectAccess
from builds.errors import NotAllowedNow
from builds.models import Role
from builds.views.form_page import FormPage
from webhooks import services
from webhooks.forms import write_headers
from webhooks.models import Attempt, Delivery
from webhooks.views.access import get_delivery


@dataclass(frozen=True)
class AttemptRow:
    """An attempt, with its headers as they are written on the wire."""

    number: int
    attempt: Attempt

    @property
    def request_headers(self) -> str:
        return write_headers(self.attempt.request_headers)

    @property
    def response_headers(self) -> str:
        return write_headers(self.attempt.response_headers)


@require_safe
@login_required
def show_delivery(request: HttpRequest, slug: str, webhook_id: int, delivery_id: int) -> HttpResponse:
    """A fixed number of queries, however many attempts."""
    access, delivery = get_delivery(request.user, slug, webhook_id, delivery_id)
    attempts = [AttemptRow(number, attempt) for number, attempt in enumerate(delivery.attempts.all(), start=1)]
    context = {
        "access": access,
        "delivery": delivery,
        "webhook": delivery.webhook,
        "rows": attempts[::-1],
        "body": _indent(delivery.body),
        "obstacle": _find_replay_obstacle(delivery),
    }
    return render(request, "webhooks/delivery.html", context)


class ReplayDelivery(FormPage):
    template_name = "webhooks/delivery_replay.html"
    creates = True
    access: ProjectAccess
    delivery: Delivery

    def load(self, **address: Any) -> None:
        self.access, self.delivery = get_delivery(self.request.user, **address, role=Role.ADMIN)

    def require_possible(self) -> None:
        services.require_replayable(self.delivery)

    def back_url(self) -> str:
        return self._url_of(self.delivery)

    def describe(self) -> dict[str, Any]:
        return {"access": self.access, "delivery": self.delivery, "webhook": self.delivery.webhook}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        replay = services.replay(self.delivery.pk)
        return self._url_of(replay), "The message is on its way again. Reload this page to see what came back."

    def _url_of(self, delivery: Delivery) -> str:
        return reverse("webhook_delivery", args=[self.access.project.slug, delivery.webhook_id, delivery.pk])


def _find_replay_obstacle(delivery: Delivery) -> str:
    try:
        services.require_replayable(delivery)
    except NotAllowedNow as obstacle:
        return obstacle.message
    return ""


def _indent(body: str) -> str:
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
