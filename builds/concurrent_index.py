"""An index for a table that is written to all the time, for migrations with `atomic = False`."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import AddIndex


class AddIndexWithoutLock(AddIndexConcurrently):
    """Concurrently on PostgreSQL; as any other index where the database knows no such thing."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _choose(schema_editor).database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _choose(schema_editor).database_backwards(self, app_label, schema_editor, from_state, to_state)


def _choose(schema_editor: Any) -> type[AddIndex]:
    return AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else AddIndex
