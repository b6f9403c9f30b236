"""The answers of the release API are kept beside the addresses that forms led to. On PostgreSQL no row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("builds", "0014_signing_key")]

    operations = [
        migrations.AlterField(
            model_name="donerequest",
            name="answer",
            field=models.TextField(
                blank=True, help_text="The address of what a form made; status and JSON of the API."
            ),
        ),
        migrations.AlterField(
            model_name="donerequest",
            name="scope",
            field=models.CharField(help_text="The address of the form, or the token.", max_length=255),
        ),
    ]
