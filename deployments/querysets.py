"""Named, chainable filters of CodePushes: one meaning of "servable", "Live" and "unfinished" for everybody."""

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import ExpressionWrapper, OuterRef, Q, Subquery
from django.db.models.functions import Now

if TYPE_CHECKING:
    from builds.querysets import BuildQuerySet
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
        """Annotates `is_live`: servable, and its label is the highest among the servable ones of its build."""
        # Not "no newer one exists": PostgreSQL would look for that in the whole table, again for each row.
        servable = self.model.objects.servable().filter(build_id=OuterRef("build_id"))
        highest = servable.by_label_descending().values("label_number")[:1]
        is_highest = Q(status="success", is_enabled=True, label_number=Subquery(highest))
        return self.annotate(is_live=ExpressionWrapper(is_highest, output_field=models.BooleanField()))

    def live_on(self, builds: "BuildQuerySet") -> Self:
        """What devices with one of these builds are offered now: at most one of each, without order."""
        # By way of builds: one look into an index for each, and not at each CodePush that they have.
        newest = self.model.objects.servable().filter(build=OuterRef("pk")).by_label_descending().values("pk")[:1]
        return self.filter(pk__in=builds.order_by().values(newest=Subquery(newest)))

    def claimable(self, *, lease: timedelta) -> Self:
        """Those no living worker has: pending, or processing with a heartbeat older than the lease."""
        return self.filter(Q(status="pending") | Q(status="processing", heartbeat_at__lt=Now() - lease))
