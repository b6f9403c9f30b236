"""What the admin pages of all apps share: support staff look everything up, and act only through services."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from builds.errors import DomainError
from metrics.selectors import ReleaseMetrics

M = TypeVar("M", bound=models.Model)
# Makes one change by a service, and says what is true afterwards.
Change = Callable[[M, User], str]
_Action = Callable[[admin.ModelAdmin, HttpRequest, QuerySet[Any]], TemplateResponse | None]  # type: ignore[type-arg]


class ViewOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Nothing can be added, changed or deleted in a form, not even by a superuser."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Actions need Django's own "can change" permission, although forms stay read-only."""
        return request.user.has_perm(f"{self.opts.app_label}.{get_permission_codename('change', self.opts)}")


class ServiceFormAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What its forms save and delete goes through services, so it is checked and audited. A refusal is a message."""

    def save_by_service(self, obj: Any, form: Any, staff: User) -> None:
        raise NotImplementedError

    def delete_by_service(self, obj: Any, staff: User) -> None:
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self.save_by_service(obj, form, cast(User, request.user))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_by_service(obj, cast(User, request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            for obj in queryset:
                self.delete_by_service(obj, cast(User, request.user))

    # Where a refusal comes through, the transaction of what was done before it is undone.
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._refuse_in_words(request, partial(super().changeform_view, request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._refuse_in_words(request, partial(super().delete_view, request, *args, **kwargs))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._refuse_in_words(request, partial(super().changelist_view, request, *args, **kwargs))

    def _refuse_in_words(self, request: HttpRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
        try:
            return act()
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


def service_action(description: str, *, warning: str = "") -> Callable[[Change[M]], _Action]:
    """Make an admin action of a change to one object. A refusal becomes a message, and the next object is taken.

    `warning`: what the change means for devices; with one, a page asks first.
    """

    def decorate(change: Change[M]) -> _Action:
        @admin.action(description=description, permissions=["operate"])
        def run(
            model_admin: admin.ModelAdmin,  # type: ignore[type-arg]
            request: HttpRequest,
            queryset: QuerySet[M],
        ) -> TemplateResponse | None:
            if warning and "confirmed" not in request.POST:
                return _ask_first(model_admin, request, queryset, run.__name__, description, warning)
            for chosen in queryset:
                try:
                    model_admin.message_user(request, change(chosen, cast(User, request.user)), messages.SUCCESS)
                except DomainError as refusal:
                    model_admin.message_user(request, refusal.message, messages.ERROR)
            return None

        run.__name__ = getattr(change, "__name__", description)
        return run

    return decorate


def _ask_first(
    model_admin: admin.ModelAdmin,  # type: ignore[type-arg]
    request: HttpRequest,
    queryset: QuerySet[M],
    action: str,
    description: str,
    warning: str,
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": description,
        "opts": model_admin.opts,
        "warning": warning,
        "action": action,
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "chosen": queryset,
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def link_to(obj: models.Model | None) -> SafeString | str:
    """A link to the object's own admin page; "–" for none. No query."""
    if obj is None:
        return "–"
    return format_html('<a href="{}">{}</a>', _address(type(obj), "change", obj.pk), obj)


def link_to_list(model: type[models.Model], text: str, **filters: Any) -> SafeString:
    """A link to the model's admin list, filtered. No query."""
    return format_html('<a href="{}?{}">{}</a>', _address(model, "changelist"), urlencode(filters), text)


def describe_numbers(label: str, numbers: ReleaseMetrics) -> str:
    """One release's numbers in a line: devices, and reports where they differ in meaning."""
    return (
        f"{label or 'Store bundle'}: {numbers.active_devices:,} active, "
        f"{numbers.downloads:,} downloads ({numbers.download_reports:,} times), "
        f"{numbers.installs:,} installs ({numbers.install_reports:,} times), "
        f"{numbers.rollbacks:,} device rollbacks ({numbers.rollback_reports:,} times)"
    )


def _address(model: type[models.Model], page: str, *pks: int) -> str:
    # `_meta` is documented API of Django, underscore or not.
    options = model._meta  # noqa: SLF001
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=pks)
