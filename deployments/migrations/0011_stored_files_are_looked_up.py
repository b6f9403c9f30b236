"""Who refers to a stored file: indexes for housekeeping, made while workers write."""

from django.db import migrations, models

from builds.concurrent_index import AddIndexWithoutLock


class Migration(migrations.Migration):
    # An index is made concurrently outside transactions only.
    atomic = False

    dependencies = [("deployments", "0010_bundle_unused_since")]

    operations = [
        AddIndexWithoutLock(
            model_name="bundle",
            index=models.Index(fields=["storage_name"], name="bundle_by_storage_name"),
        ),
        AddIndexWithoutLock(
            model_name="bundlediff",
            index=models.Index(fields=["storage_name"], name="diff_by_storage_name"),
        ),
        AddIndexWithoutLock(
            model_name="bundlepatch",
            index=models.Index(fields=["storage_name"], name="patch_by_storage_name"),
        ),
        AddIndexWithoutLock(
            model_name="codepush",
            index=models.Index(
                condition=models.Q(("upload_name", ""), _negated=True),
                fields=["upload_name"],
                name="codepush_by_upload_name",
            ),
        ),
    ]
