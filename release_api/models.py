"""What the release API keeps: who may call it, and what is on its way in parts."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from builds.models import Build, Project, Role

FINGERPRINT_LENGTH = 16


class ApiToken(models.Model):
    """A key of one person for programs. It never may do more than the person, and may be limited further."""

    name = models.CharField(max_length=100, help_text="What it is for.")
    # SHA-256, without salt or stretching: those slow down guessing, and 214 random bits cannot be guessed. Anything
    # slower would be paid at each request.
    digest = models.CharField(max_length=64)
    ending = models.CharField(max_length=4, help_text="Its last characters, by which people tell tokens apart.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    project = models.ForeignKey(
        Project,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="api_tokens",
        help_text="The only one it reaches. Empty: every project of the person.",
    )
    role = models.CharField(max_length=20, choices=Role, help_text="The most it may do.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.CharField(max_length=45, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = "API token"
        constraints = [
            # The one that is looked up at each request.
            models.UniqueConstraint(fields=["digest"], name="token_digest_is_unique"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="token_role_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def fingerprint(self) -> str:
        """Names it without telling it: whoever finds the token somewhere can compute this and look it up."""
        return self.digest[:FINGERPRINT_LENGTH]


class BucketUpload(models.Model):
    """An archive that a program sends to object storage in parts, and that waits for its CodePush: used once, by whom
    it was begun, on that build; or gone after a day. Which parts arrived is known to the storage alone."""

    upload_id = models.CharField(max_length=32, unique=True)
    build = models.ForeignKey(Build, on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    storage_name = models.CharField(max_length=100)
    parts_id = models.TextField(help_text="Under which the storage keeps its parts until they are joined.")
    size_bytes = models.BigIntegerField(help_text="Of all parts together.")
    part_size_bytes = models.PositiveIntegerField(help_text="Of each but the last.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Otherwise nobody could say how many parts there are.
            models.CheckConstraint(
                condition=Q(size_bytes__gt=0, part_size_bytes__gt=0), name="bucket_upload_sizes_are_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.upload_id
