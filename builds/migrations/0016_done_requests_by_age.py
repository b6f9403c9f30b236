"""The sweep finds those older than a day by this index."""

from django.db import migrations, models

from builds.concurrent_index import AddIndexWithoutLock


class Migration(migrations.Migration):

    atomic = False
    dependencies = [("builds", "0015_answers_have_any_length")]

    operations = [
        AddIndexWithoutLock(
            model_name="donerequest",
            index=models.Index(fields=["created_at"], name="done_request_by_age"),
        ),
    ]
