"""Times read from PostgreSQL by our own loader are those that Django's would give."""

from datetime import UTC, datetime

import pytest
from django.db import DataError, connection
from psycopg.pq import Format

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="the loader is one of PostgreSQL's driver"),
]


def _read(literal: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [literal])
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("literal", "moment"),
    [
        ("2026-11-25 03:13:50.922755+00", datetime(2026, 11, 25, 3, 13, 50, 922755, tzinfo=UTC)),
        ("2026-11-25 03:13:50.9+00", datetime(2026, 11, 25, 3, 13, 50, 900000, tzinfo=UTC)),
        ("2026-11-25 03:13+00", datetime(2026, 11, 25, 3, 13, tzinfo=UTC)),
        ("2026-11-25 05:13+02", datetime(2026, 11, 25, 3, 13, tzinfo=UTC)),
        ("0001-01-01 00:00+00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31 23:59:59.999999+00", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_a_moment_is_what_was_stored_and_in_utc(literal: str, moment: datetime) -> None:
    read = _read(literal)
    assert (read, getattr(read, "tzinfo", None)) == (moment, UTC)


def test_what_is_no_moment_is_refused_as_before() -> None:
    with pytest.raises(DataError):
        _read("infinity")


def test_the_loader_is_in_use() -> None:
    connection.ensure_connection()
    adapters = connection.connection.adapters
    loader = adapters.get_loader(adapters.types["timestamptz"].oid, Format.TEXT)
    assert loader.__module__ == "builds.quick_moments"
