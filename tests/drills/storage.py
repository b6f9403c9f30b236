"""An S3 server that can answer 500, or nothing at all."""

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

from tests.flows.faulty_proxy import FaultyProxy

BUCKET = "bundles"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "for-drills", "AWS_SECRET_ACCESS_KEY": "for-drills"}
_FAILURE = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class FaultyStorage(FaultyProxy):
    """In front of the S3 server. `trouble`: "" for none, "500", or "silent" for answers that never come."""

    trouble = ""

    def _relay(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        if self.trouble == "500" and not is_answer:
            # Of what came in, the beginning was read: enough for a client to take the answer for one.
            source.recv(65536)
            source.sendall(_FAILURE)
            source.shutdown(socket.SHUT_RDWR)
        elif self.trouble != "silent":
            super()._relay(source, target, is_answer)

    @contextmanager
    def in_trouble(self, trouble: str, wait: Callable[[], None]) -> Iterator[None]:
        """Connections that were open break: what comes then meets the trouble, and is never told that it is over."""
        self.go_away()
        self.trouble = trouble
        self.come_back()
        wait()
        self.trouble = ""
        yield


@contextmanager
def make_storage() -> Iterator[FaultyStorage]:
    # It tells of each request, between the rows of the table.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket=BUCKET)
    try:
        yield FaultyStorage(host, port)
    finally:
        server.stop()


def describe(storage: FaultyStorage) -> dict[str, str]:
    """The environment of a product that keeps its bundles there."""
    url = f"s3://{BUCKET}?endpoint_url=http://127.0.0.1:{storage.port}&region=us-east-1"
    return {"STORAGE_URL": url, **CREDENTIALS}
