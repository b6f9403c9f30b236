"""One command to Redis, thousands of times a second, without what a general client does around each.

redis-py's client spends 100 µs of processor time on a command (its pool, its retries, its observation of itself); its
connections, which are all that is used here, a quarter of that.
"""

import redis
from redis.connection import ConnectionInterface, ConnectionPool


class StreamAppender:
    """Safe to use from many threads. As many connections as there were ever appends at once."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        # Only to read the URL: it knows which class of connection that means, and with what.
        self._pool = ConnectionPool.from_url(
            url, socket_connect_timeout=timeout_seconds, socket_timeout=timeout_seconds
        )
        # A list is a stack that needs no lock. The connection used last is the one least likely to have been closed.
        self._idle: list[ConnectionInterface] = []

    def append(self, stream: str, name: str, text: str) -> None:
        """The stream holds an entry of this one field, says Redis. Raises RedisError: then it may hold it, or not."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._pool.connection_class(**self._pool.connection_kwargs)
        command = connection.pack_command("XADD", stream, "*", name, text)  # type: ignore[no-untyped-call]
        try:
            self._send(connection, command)
        except redis.ConnectionError:
            # It had been closed while it was idle, as by a Redis that was restarted.
            self._send(connection, command)
        finally:
            # Whatever happened: one that broke was closed, and is opened anew when it is used.
            self._idle.append(connection)

    def _send(self, connection: ConnectionInterface, command: list[bytes]) -> None:
        connection.send_packed_command(command, check_health=False)  # type: ignore[no-untyped-call]
        connection.read_response()
