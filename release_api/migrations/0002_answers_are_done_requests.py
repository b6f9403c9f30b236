"""What the API answered within the last day is where `builds.idempotency` looks from now on.

Answers of web processes that still run the code before this stay in the old table: whoever sends such a request again
to a new process, within a day and with the same key, has it done anew. Going back forgets nothing: they are copies.
"""

import json
from datetime import timedelta

from django.db import migrations
from django.utils import timezone


def copy_answers(apps, schema_editor):
    answers = apps.get_model("release_api", "StoredAnswer").objects.filter(
        created_at__gt=timezone.now() - timedelta(days=1)
    )
    done_request = apps.get_model("builds", "DoneRequest")
    copies = (
        done_request(
            actor_id=answer.token.user_id,
            scope=f"token {answer.token_id}",
            key=answer.key,
            request_hash=answer.request_sha256,
            answer=json.dumps([answer.status, json.loads(answer.body)]),
            created_at=answer.created_at,
        )
        for answer in answers.select_related("token")
    )
    done_request.objects.bulk_create(copies, batch_size=500, ignore_conflicts=True)


class Migration(migrations.Migration):

    dependencies = [
        ("release_api", "0001_initial"),
        ("builds", "0016_done_requests_by_age"),
    ]

    operations = [migrations.RunPython(copy_answers, migrations.RunPython.noop)]
