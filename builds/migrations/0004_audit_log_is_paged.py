"""Indexes for the pages of the audit log; made while entries are written."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndexWithoutLock(AddIndexConcurrently):
    """Concurrently on PostgreSQL; as any other index where the database knows no such thing."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        operation = super() if schema_editor.connection.vendor == "postgresql" else super(AddIndexConcurrently, self)
        operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        operation = super() if schema_editor.connection.vendor == "postgresql" else super(AddIndexConcurrently, self)
        operation.database_backwards(app_label, schema_editor, from_state, to_state)


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
