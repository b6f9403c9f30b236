"""Indexes for the pages of the audit log; made while entries are written."""

from django.db import migrations, models

from builds.concurrent_index import AddIndexWithoutLock


class Migration(migrations.Migration):
    # An index is made concurrently outside transactions only.
    atomic = False

    dependencies = [("builds", "0003_audit_members_and_keys")]

    operations = [
        AddIndexWithoutLock(
            model_name="auditentry",
            index=models.Index(fields=["project", "-id"], name="audit_by_project_newest"),
        ),
        AddIndexWithoutLock(
            model_name="auditentry",
            index=models.Index(fields=["action", "-id"], name="audit_by_action_newest"),
        ),
        AddIndexWithoutLock(
            model_name="auditentry",
            index=models.Index(fields=["created_at"], name="audit_by_time"),
        ),
    ]
