from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0002_numbers_from_reports'),
    ]

    operations = [
        migrations.AddField(
            model_name='reportlogentry',
            name='is_applied',
            field=models.BooleanField(db_default=False, help_text='Whether the numbers contain it.'),
        ),
        migrations.AddIndex(
            model_name='reportlogentry',
            index=models.Index(condition=models.Q(('is_applied', False)), fields=['id'], name='report_to_apply'),
        ),
        migrations.RemoveIndex(
            model_name='reportlogentry',
            name='report_by_release',
        ),
        migrations.RemoveIndex(
            model_name='reportlogentry',
            name='report_by_previous_key',
        ),
    ]
