"""Devices know the app version and client library of their latest start; null until the next one."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('builds', '0004_audit_log_is_paged'),
        ('metrics', '0005_report_log_knows_the_plugin'),
    ]

    operations = [
        migrations.CreateModel(
            name='Software',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('build', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='builds.build')),
                ('app_version', models.CharField(blank=True, max_length=64)),
                ('plugin_name', models.CharField(blank=True, max_length=64)),
                ('plugin_version', models.CharField(blank=True, max_length=64)),
                ('sdk_version', models.CharField(blank=True, max_length=64)),
                ('devices', models.BigIntegerField(default=0, help_text='Whose latest start said so; those that moved on included.')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('build', 'app_version', 'plugin_name', 'plugin_version', 'sdk_version'), name='software_is_listed_once'),
                    models.CheckConstraint(condition=models.Q(('devices__gte', 0)), name='software_devices_are_not_negative'),
                ],
            },
        ),
        migrations.AddField(
            model_name='device',
            name='software_id',
            field=models.IntegerField(null=True),
        ),
    ]
