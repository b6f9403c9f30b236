"""The signature by which a receiver knows that a message is ours, and new: the scheme of standardwebhooks.com.

Secrets are derived from SECRET_KEY and a nonce of the webhook, and stored nowhere: who reads the database, or a backup
of it, can sign nothing. With another SECRET_KEY every webhook has another secret.
"""

import hmac
import secrets
from base64 import b64encode
from hashlib import sha256

from django.utils.crypto import salted_hmac

_PREFIX = "whsec_"


def new_nonce() -> str:
    return secrets.token_hex(16)


def derive_secret(nonce: str) -> str:
    """As people copy it into their receiver."""
    return _PREFIX + b64encode(_derive_key(nonce)).decode()


def sign(nonce: str, *, message_id: str, timestamp: int, body: str) -> str:
    """The value of the header `webhook-signature`."""
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + b64encode(hmac.new(_derive_key(nonce), signed, sha256).digest()).decode()


def _derive_key(nonce: str) -> bytes:
    return salted_hmac("webhooks.signing", nonce, algorithm="sha256").digest()
