"""A project's webhooks: shown to every member without secrets, changed by its admins."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from builds.access import ProjectAccess, get_project
from builds.models import Role
from builds.paging import get_page
from builds.views.form_page import FormPage
from webhooks import selectors, services
from webhooks.forms import DeliveryFilterForm, WebhookForm, write_headers
from webhooks.models import Webhook
from webhooks.signing import derive_secret
from webhooks.views.access import get_webhook

# In the session: the webhook whose secret this person is shown at the next look, once.
_SHOW_SECRET_OF = "webhook_secret_of"  # noqa: S105 (a name)


@require_safe
@login_required
def list_webhooks(request: HttpRequest, slug: str) -> HttpResponse:
    """A fixed number of queries, however many webhooks."""
    access = get_project(request.user, slug)
    context = {"access": access, "webhooks": selectors.list_webhooks(access.project)}
    return render(request, "webhooks/webhooks.html", context)


@require_safe
@login_required
@never_cache
def show_webhook(request: HttpRequest, slug: str, webhook_id: int) -> HttpResponse:
    """A fixed number of queries, however many deliveries."""
    access, webhook = get_webhook(request.user, slug, webhook_id)
    filters = DeliveryFilterForm(request.GET)
    page = get_page(selectors.list_deliveries(webhook, **filters.chosen), request.GET.get("page"))
    context = {
        "access": access,
        "webhook": webhook,
        "filters": filters,
        "page": page,
        "waiting_count": selectors.count_waiting(webhook) if not webhook.is_active else 0,
        "secret": _take_secret(request, access, webhook),
    }
    return render(request, "webhooks/webhook.html", context)


def _take_secret(request: HttpRequest, access: ProjectAccess, webhook: Webhook) -> str:
    """The signing secret when it was just made, by this person; "" ever after."""
    if not access.can_manage or request.session.get(_SHOW_SECRET_OF) != webhook.pk:
        return ""
    del request.session[_SHOW_SECRET_OF]
    return derive_secret(webhook.secret_nonce)


class NewWebhook(FormPage):
    form_class = WebhookForm
    template_name = "webhooks/webhook_new.html"
    creates = True
    access: ProjectAccess

    def load(self, **address: Any) -> None:
        self.access = get_project(self.request.user, address["slug"], role=Role.ADMIN)

    def back_url(self) -> str:
        return reverse("webhook_list", args=[self.access.project.slug])

    def describe(self) -> dict[str, Any]:
        return {"access": self.access}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        webhook = services.create_webhook(self.access.project, actor=self.actor, **values)
        self.request.session[_SHOW_SECRET_OF] = webhook.pk
        url = reverse("webhook_detail", args=[self.access.project.slug, webhook.pk])
        return url, f"{webhook} is told of what happens from now on."


class _WebhookPage(FormPage):
    """A form about one webhook. Its project's admins only."""

    access: ProjectAccess
    webhook: Webhook

    def load(self, **address: Any) -> None:
        self.access, self.webhook = get_webhook(
            self.request.user, address["slug"], address["webhook_id"], role=Role.ADMIN
        )

    def back_url(self) -> str:
        return reverse("webhook_detail", args=[self.access.project.slug, self.webhook.pk])

    def describe(self) -> dict[str, Any]:
        return {"access": self.access, "webhook": self.webhook}


class EditWebhook(_WebhookPage):
    form_class = WebhookForm
    template_name = "webhooks/webhook_edit.html"

    def initial(self) -> dict[str, Any]:
        names = ("name", "url", "format", "events")
        values = {name: getattr(self.webhook, name) for name in names}
        return values | {"extra_headers": write_headers(self.webhook.extra_headers)}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        webhook = services.edit_webhook(self.webhook.pk, actor=self.actor, **values)
        return self.back_url(), f"{webhook} is saved."


class PauseWebhook(_WebhookPage):
    """Pausing what is paused changes nothing."""

    template_name = "webhooks/webhook_pause.html"

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"waiting_count": selectors.count_waiting(self.webhook)}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        webhook = services.pause_webhook(self.webhook.pk, actor=self.actor)
        return self.back_url(), f"{webhook} is paused."


class ResumeWebhook(PauseWebhook):
    template_name = "webhooks/webhook_resume.html"

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        webhook = services.resume_webhook(self.webhook.pk, actor=self.actor)
        return self.back_url(), f"{webhook} is active again."


class ReplaceSecret(_WebhookPage):
    template_name = "webhooks/webhook_secret.html"

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        services.replace_secret(self.webhook.pk, actor=self.actor)
        self.request.session[_SHOW_SECRET_OF] = self.webhook.pk
        return self.back_url(), f"{self.webhook} has another signing secret."


class DeleteWebhook(_WebhookPage):
    template_name = "webhooks/webhook_delete.html"

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        services.delete_webhook(self.webhook.pk, actor=self.actor)
        return reverse("webhook_list", args=[self.access.project.slug]), f"{self.webhook} is deleted."


class TestWebhook(_WebhookPage):
    template_name = "webhooks/webhook_test.html"

    def require_possible(self) -> None:
        services.require_active(self.webhook)

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        delivery = services.send_test(self.webhook.pk, actor=self.actor)
        url = reverse("webhook_delivery", args=[self.access.project.slug, self.webhook.pk, delivery.pk])
        return url, "The test message is on its way. Reload this page to see what came back."
