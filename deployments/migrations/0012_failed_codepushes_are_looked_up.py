"""What failed of late, for "Needs attention": an index of the failed ones only, made while workers write."""

from django.db import migrations, models

from builds.concurrent_index import AddIndexWithoutLock


class Migration(migrations.Migration):
    # An index is made concurrently outside transactions only.
    atomic = False

    dependencies = [("deployments", "0011_stored_files_are_looked_up")]

    operations = [
        AddIndexWithoutLock(
            model_name="codepush",
            index=models.Index(
                condition=models.Q(("status", "failed")), fields=["finished_at"], name="failed_by_finish"
            ),
        ),
    ]
