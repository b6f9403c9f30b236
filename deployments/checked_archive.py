"""What uploads and bundles have in common."""

from django.db import models


class CheckedArchive(models.Model):
    """A stored archive, and what reading every byte of it showed."""

    content_hash = models.CharField(
        max_length=64, help_text="SHA-256 over the manifest with the signature file. Without one, the package hash."
    )
    package_hash = models.CharField(
        max_length=64, help_text="SHA-256 over the manifest, as the client SDKs compute it."
    )
    archive_sha256 = models.CharField(max_length=64)
    storage_name = models.CharField(max_length=100)
    size_bytes = models.BigIntegerField(help_text="Of the archive, as devices download it.")
    js_bundle_path = models.CharField(max_length=1024)
    hermes_bytecode_version = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: plain JavaScript.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    @property
    def javascript_kind(self) -> str:
        if self.hermes_bytecode_version is None:
            return "Plain JavaScript"
        return f"Hermes bytecode {self.hermes_bytecode_version}"
