"""Lists as CSV: written while they are read, and harmless to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

# A spreadsheet takes a text that begins so for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def stream_csv(file_name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> StreamingHttpResponse:
    """An answer that a browser keeps as a file. `rows` is read row by row, as the browser takes them."""
    return StreamingHttpResponse(
        _write(header, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def _write(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([_defuse(cell) for cell in row])


class _Line:
    """What `csv` writes to: it returns the line."""

    def write(self, line: str) -> str:
        return line


def _defuse(cell: str) -> str:
    """A quote in front keeps a spreadsheet from running the text."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
