"""An index for lists of devices with one app version; made while reports are applied."""

from django.db import migrations, models

from builds.concurrent_index import AddIndexWithoutLock


class Migration(migrations.Migration):
    # An index is made concurrently outside transactions only.
    atomic = False

    dependencies = [("metrics", "0006_software_of_devices")]

    operations = [
        AddIndexWithoutLock(
            model_name="device",
            index=models.Index(fields=["build", "software_id"], name="device_by_software"),
        ),
    ]
