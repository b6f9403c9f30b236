"""The format of the logs, and what each record is about."""

import logging
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS

from telemetry import context


class AddContext(logging.Filter):
    """Each record carries the request id and the rest of the context, as fields of its own."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in context.current().items():
            setattr(record, name, value)
        return True


def describe_logging(log_format: str) -> dict[str, Any]:
    """The setting LOGGING. `log_format`: "json" or "text"."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"context": {"()": "telemetry.logs.AddContext"}},
        "formatters": {
            "text": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": "{levelname}{name}{message}",
                "style": "{",
                "timestamp": "time",
                "rename_fields": {"levelname": "level", "name": "logger"},
                # Requests are written with their query, which may hold the id of a device.
                "reserved_attrs": [*RESERVED_ATTRS, "request", "server_time"],
            },
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": log_format, "filters": ["context"]}},
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
            # A line per request: too much between those of a person who tries things out.
            "pages": {"level": "INFO" if log_format == "json" else "WARNING"},
        },
    }
