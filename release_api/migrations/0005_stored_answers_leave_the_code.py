"""The code knows the table no more. The table stays: the code before this sweeps it, and looks there when it deletes a
token. The next deployment drops `release_api_storedanswer` (CONTRIBUTING, "Migrations").
"""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("release_api", "0004_stored_answers_hold_no_token"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="StoredAnswer")]),
    ]
