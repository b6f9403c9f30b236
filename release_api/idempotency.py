"""Answers of the release API that are the same however often the request comes (`builds.idempotency`)."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from builds import idempotency
from builds.actors import TokenUser
from builds.idempotency import KeyedRequest


class Answer(NamedTuple):
    """A status, and plain JSON values."""

    status: int
    body: dict[str, Any]


def answer_once(user: TokenUser, key: str, request_sha256: str, act: Callable[[], Answer]) -> Answer:
    """What `act` answers; if this request was answered before, that answer. `act` tells refusals, too, as answers.

    Each token has keys of its own. Raises KeyReused when the key came with another request.
    """
    asked = KeyedRequest(user, f"token {user.limit.token_id}", key, request_sha256)
    # As text: PostgreSQL would give the fields of JSON back in another order, and the answer is to be the same.
    return Answer(*json.loads(idempotency.do_once(asked, lambda: json.dumps(act()))))
