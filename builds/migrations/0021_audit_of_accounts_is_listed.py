"""An index for the account page; made while entries are written."""

from django.db import migrations, models

from builds.concurrent_index import AddIndexWithoutLock


class Migration(migrations.Migration):
    # An index is made concurrently outside transactions only.
    atomic = False

    dependencies = [("builds", "0020_audit_of_accounts")]

    operations = [
        AddIndexWithoutLock(
            model_name="auditentry",
            index=models.Index(condition=models.Q(("project", None)), fields=["actor", "-id"], name="audit_of_accounts"),
        ),
    ]
