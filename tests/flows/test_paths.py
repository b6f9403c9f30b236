"""Addresses that lead out of a folder, as a client writes them, at the real server."""

import socket

import pytest

from tests.flows.product import Product

_SECRET = b"what no address leads to"


@pytest.mark.parametrize("folder", ["/api/bundles", "/static"])
@pytest.mark.parametrize("way", ["/../secret", "/..%2fsecret", "/%2e%2e/secret", "/{folder}", "/%2f{folder}"])
def test_no_address_leads_out_of_its_folder(product: Product, folder: str, way: str) -> None:
    (product.folder / "secret").write_bytes(_SECRET)
    # Through a folder that is not there no address would lead anywhere.
    (product.folder / "bundles").mkdir(exist_ok=True)
    address = folder + way.format(folder=product.folder / "secret")

    answer = _ask(product.port, address)

    assert answer.startswith(b"HTTP/1.1 404")
    assert _SECRET not in answer


def _ask(port: int, address: str) -> bytes:
    """The whole answer. A client library would tidy the address up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received
