"""What snapshots rely on; `save_published` never called one otherwise."""


from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deployments', '0005_bundle_patch'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='bundlediff',
            constraint=models.CheckConstraint(condition=models.Q(('storage_name__regex', '^[0-9a-f]{64}\\.zip$')), name='diff_is_named_by_its_hash'),
        ),
        migrations.AddConstraint(
            model_name='bundlepatch',
            constraint=models.CheckConstraint(condition=models.Q(('storage_name__regex', '^[0-9a-f]{64}\\.zip$')), name='patch_is_named_by_its_hash'),
        ),
    ]
