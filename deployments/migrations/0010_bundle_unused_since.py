"""Since when no CodePush carries a bundle: housekeeping deletes it some days later. Empty until it runs."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("deployments", "0009_bundle_signature")]

    operations = [
        migrations.AddField(
            model_name="bundle",
            name="unused_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
