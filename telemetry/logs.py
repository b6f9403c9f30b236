"""Log records know what they are about. The format itself is in the settings (LOGGING)."""

import logging

from telemetry import context


class AddContext(logging.Filter):
    """Each record carries the request id and the rest of the context, as fields of its own."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in context.current().items():
            setattr(record, name, value)
        return True
