"""The table that nothing reads is no obstacle to who deletes or truncates tokens, also once the code forgot it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("release_api", "0003_bucket_uploads"),
    ]

    operations = [
        migrations.AlterField(
            model_name="storedanswer",
            name="token",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="release_api.apitoken",
            ),
        ),
    ]
