"""The queue of the embedded mode: kombu's files, but a message is there whole or not at all.

Kombu makes the file first and then writes into it. A worker that looks in between, or after the writer was killed,
reads nothing, and ends.
"""

import logging
import uuid
from pathlib import Path
from queue import Empty
from time import monotonic_ns
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def _put(  # type: ignore[override]  # kombu itself has two signatures
        self, queue: str, payload: Any, **kwargs: Any
    ) -> None:
        path = Path(self.data_folder_out, f"{monotonic_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg")
        # No queue is called so: nobody reads it before it has its name.
        part = path.with_suffix(".part")
        try:
            part.write_text(dumps(payload))
            part.replace(path)
        except OSError as error:
            raise ChannelError(f"Cannot add {path.name} to the queue: {error}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        try:
            return super()._get(queue)
        except ValueError as error:
            # Its work is queued again by the sweep, as that of any message that was lost.
            logger.warning("A message of the queue %s cannot be read, and is left out: %s", queue, error)
            raise Empty from error


class Transport(filesystem.Transport):
    Channel = Channel
