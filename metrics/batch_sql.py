"""Whole batches against tables of millions: rows go to a temporary table, and the database compares.

One road for PostgreSQL and SQLite; only how a temporary table is filled differs.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from metrics.device_state import DEVICE_COLUMNS, DeviceState

Fact = tuple[int, int, str, UUID]
DeviceKey = tuple[int, UUID]

_SOFTWARE_COLUMNS = ("build_id", "app_version", "plugin_name", "plugin_version", "sdk_version")


def insert_new_facts(facts: Iterable[Fact]) -> list[Fact]:
    """All of the facts are in the table. Returns those that were not before."""
    columns = ("build_id", "label_number", "event", "client_hash")
    with connection.cursor() as cursor:
        _fill(cursor, "new_facts", "metrics_devicefact", columns, facts)
        cursor.execute(
            "INSERT INTO metrics_devicefact (build_id, label_number, event, client_hash) "
            "SELECT build_id, label_number, event, client_hash FROM new_facts WHERE true "
            "ON CONFLICT DO NOTHING RETURNING build_id, label_number, event, client_hash"
        )
        return [(build_id, number, event, _restore_uuid(value)) for build_id, number, event, value in cursor.fetchall()]


def read_devices(keys: Iterable[DeviceKey]) -> dict[DeviceKey, DeviceState]:
    """What is known of these devices."""
    with connection.cursor() as cursor:
        _fill(cursor, "wanted_devices", "metrics_device", ("build_id", "client_hash"), keys)
        # Not raw(): it does not know composite keys.
        cursor.execute(
            f"SELECT {_list(DEVICE_COLUMNS, 'device')} FROM wanted_devices wanted JOIN metrics_device device "  # noqa: S608
            "ON device.build_id = wanted.build_id AND device.client_hash = wanted.client_hash"
        )
        rows = cursor.fetchall()
    devices = [DeviceState(*map(_restore, row)) for row in rows]
    return {(device.build_id, device.client_hash): device for device in devices}


def write_devices(devices: Sequence[DeviceState]) -> None:
    """The devices are as given, whether they were there or not."""
    rows = [tuple(getattr(device, column) for column in DEVICE_COLUMNS) for device in devices]
    said = ", ".join(f"{column} = excluded.{column}" for column in DEVICE_COLUMNS[2:])
    with connection.cursor() as cursor:
        _fill(cursor, "new_devices", "metrics_device", DEVICE_COLUMNS, rows)
        cursor.execute(
            f"INSERT INTO metrics_device ({_list(DEVICE_COLUMNS)}) "  # noqa: S608
            f"SELECT {_list(DEVICE_COLUMNS)} FROM new_devices WHERE true "
            f"ON CONFLICT (build_id, client_hash) DO UPDATE SET {said}"
        )


def read_software(keys: Iterable[tuple[int, Sequence[str]]]) -> list[Sequence[Any]]:
    """Rows of those of (build id, texts in the order of the columns) that are listed, with their id at the end."""
    matches = " AND ".join(f"software.{column} = wanted.{column}" for column in _SOFTWARE_COLUMNS)
    rows = ((build_id, *texts) for build_id, texts in keys)
    with connection.cursor() as cursor:
        _fill(cursor, "wanted_software", "metrics_software", _SOFTWARE_COLUMNS, rows)
        cursor.execute(
            f"SELECT {_list(_SOFTWARE_COLUMNS, 'software')}, software.id "  # noqa: S608
            f"FROM wanted_software wanted JOIN metrics_software software ON {matches}"
        )
        return list(cursor.fetchall())


def append_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """The table has these rows too. On PostgreSQL in a tenth of the time that `bulk_create` takes.

    Columns that are not given need a default of the database. `table` and `columns` stand in the query as they are:
    constants only.
    """
    with connection.cursor() as cursor:
        _insert(cursor, table, columns, rows)


def _list(columns: Sequence[str], table: str = "") -> str:
    return ", ".join(f"{table}.{column}" if table else column for column in columns)


def _fill(cursor: CursorWrapper, name: str, like: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A temporary table of that name holds the rows, and nothing else; its columns are as those of `like`.

    It stays for the next batch of this connection: a new one each time would fill PostgreSQL's catalogue.
    """
    # Names are constants of this module.
    cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} AS SELECT {_list(columns)} FROM {like} WHERE false")  # noqa: S608
    cursor.execute(f"TRUNCATE {name}" if connection.vendor == "postgresql" else f"DELETE FROM {name}")  # noqa: S608
    _insert(cursor, name, columns, rows)
    if connection.vendor == "postgresql":
        cursor.execute(f"ANALYZE {name}")


def _insert(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    listed = _list(columns)
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY {table} ({listed}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        places = ", ".join(["%s"] * len(columns))
        adapted = [tuple(_adapt(value) for value in row) for row in rows]
        cursor.executemany(f"INSERT INTO {table} ({listed}) VALUES ({places})", adapted)  # noqa: S608


def _adapt(value: Any) -> Any:
    """As Django stores it in SQLite."""
    if isinstance(value, UUID):
        return value.hex
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _restore(value: Any) -> Any:
    """As Django reads it: SQLite knows neither UUIDs nor time zones."""
    if isinstance(value, str):
        return _restore_uuid(value)
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _restore_uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
