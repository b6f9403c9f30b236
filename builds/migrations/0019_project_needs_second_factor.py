"""A project may ask its members for a second factor."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("builds", "0018_audit_project_deletion")]

    operations = [
        migrations.AddField(
            model_name='project',
            name='needs_second_factor',
            field=models.BooleanField(db_default=False, default=False, help_text='Members without one see nothing of it.'),
        ),
    ]
