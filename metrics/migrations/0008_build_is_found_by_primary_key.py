"""Primary keys begin with the build: an index of its own cost each write, and no read used it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('builds', '0011_audit_entries_are_immutable'),
        ('metrics', '0007_devices_by_software'),
    ]

    operations = [
        migrations.AlterField(
            model_name='device',
            name='build',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='builds.build'),
        ),
        migrations.AlterField(
            model_name='devicefact',
            name='build',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='builds.build'),
        ),
        migrations.AlterField(
            model_name='releasecounter',
            name='build',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='builds.build'),
        ),
        migrations.AlterField(
            model_name='releasehour',
            name='build',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='builds.build'),
        ),
    ]
