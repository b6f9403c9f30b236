"""Named, chainable filters: what "visible", "store-live" or "newest" mean stands here and nowhere else."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn, Self

from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.utils import timezone

from builds.actors import TokenUser
from builds.second_factor import is_open_to

if TYPE_CHECKING:
    from builds.models import AuditEntry, Build, Project  # noqa: F401 (named in strings)


# A deleted project can be had back for so long; then nothing of it is kept but the audit log.
DELETED_KEPT_FOR = timedelta(days=30)


class ProjectQuerySet(models.QuerySet["Project"]):
    def present(self) -> Self:
        """Those that are not deleted."""
        return self.filter(deleted_at=None)

    def recoverable_by(self, user: User | AnonymousUser) -> Self:
        """Deleted ones that this user may have back: their admin, for as long as they are kept."""
        since = timezone.now() - DELETED_KEPT_FOR
        mine = self.filter(memberships__user_id=user.pk, memberships__role="admin")
        return mine.filter(deleted_at__gt=since, purged_at=None)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Projects that the user is a member of, and the token reaches. Staff see projects in the admin, not here.

        A person without a second factor sees none that asks for one; what a token may do was decided when it was made.
        """
        visible = self.present().filter(memberships__user_id=user.pk)
        if not isinstance(user, TokenUser):
            return visible.filter(is_open_to(user.pk))
        if user.limit.project_id is not None:
            visible = visible.filter(pk=user.limit.project_id)
        return visible

    def locked_to(self, user: User | AnonymousUser) -> Self:
        """Projects that the person is a member of, but sees only with a second factor."""
        return self.present().filter(memberships__user_id=user.pk).exclude(is_open_to(user.pk))


class BuildQuerySet(models.QuerySet["Build"]):
    def in_slot_of(self, build: "Build") -> Self:
        """Builds that compete for the same place in a store: same project, platform and build target."""
        return self.filter(project_id=build.project_id, platform=build.platform, build_target=build.build_target)

    def recoverable(self) -> Self:
        """Of projects that are there, or can be had back."""
        return self.exclude(project__deleted_at__lte=timezone.now() - DELETED_KEPT_FOR)

    def store_live(self) -> Self:
        return self.filter(store_status="live")

    def newest_first(self) -> Self:
        return self.order_by("-id")


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("Audit entries are never altered.")

    def delete(self) -> NoReturn:
        raise TypeError("Audit entries are never deleted.")
