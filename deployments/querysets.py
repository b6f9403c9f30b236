"""Named, chainable filters of CodePushes: one meaning of "servable", "Live" and "unfinished" for everybody."""

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    from deployments.models import CodePush  # noqa: F401 (named in a string)


class CodePushQuerySet(models.QuerySet["CodePush"]):
    def successful(self) -> Self:
        return self.filter(status="success")

    def servable(self) -> Self:
        """Those a device may be offered: successful and enabled."""
        return self.successful().filter(is_enabled=True)

    def unfinished(self) -> Self:
        return self.filter(status__in=("pending", "processing"))

    def finished(self) -> Self:
        return self.exclude(status__in=("pending", "processing"))

    def newest_first(self) -> Self:
        """By creation; among successes that is also the order of their labels, but for concurrent uploads."""
        return self.order_by("-id")

    def by_label_descending(self) -> Self:
        return self.order_by("-label_number")

    def with_is_live(self) -> Self:
        """Annotates `is_live`: servable, and no servable one of the same build has a higher label."""
        newer = (
            self.model.objects.servable()
            .filter(build_id=OuterRef("build_id"), label_number__gt=OuterRef("label_number"))
            .order_by()
        )
        return self.annotate(is_live=Q(status="success", is_enabled=True) & ~Exists(newer))

    def live(self) -> Self:
        """Of each build at most one: what devices are offered now."""
        return self.with_is_live().filter(Q(is_live=True))

    def claimable(self, *, lease: timedelta) -> Self:
        """Those no living worker has: pending, or processing with a heartbeat older than the lease."""
        return self.filter(Q(status="pending") | Q(status="processing", heartbeat_at__lt=Now() - lease))
