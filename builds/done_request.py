"""What `idempotency` remembers."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class DoneRequest(models.Model):
    """A request that carried a key, and what it led to: sent again, it is not done again (`idempotency`)."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(max_length=255, help_text="The address of the form, or the token.")
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64, help_text="SHA-256 of what was asked for.")
    answer = models.TextField(blank=True, help_text="The address of what a form made; status and JSON of the API.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # Of two that arrive together the second waits here for the first, and then finds its answer.
            models.UniqueConstraint(fields=["actor", "scope", "key"], name="a_keyed_request_is_done_once"),
        ]
        indexes = [
            # Those older than a day are deleted.
            models.Index(fields=["created_at"], name="done_request_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"
