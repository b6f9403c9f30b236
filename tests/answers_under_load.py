"""Update checks while releases change: each answer is what `decide` says of the state before or after, and no older.

A process plays the person (`change_for_a_while`), others the phones (`ask_for_a_while`); `judge` compares.
"""

import json
import random
import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from deployments import device_api
from deployments.models import CodePush
from deployments.policy.decision import decide
from deployments.services import republishing
from deployments.services.codepushes import edit_codepush
from deployments.snapshot_builder import build_snapshot

# How old an answer may be.
FRESH_SECONDS = 1.0


def list_questions(key: str, hashes: Iterable[str]) -> list[str]:
    """Query strings of phones of all kinds: fresh, on each of the bundles, in and outside of rollouts."""
    start = f"deployment_key={key}&app_version="
    fresh = [f"{start}3.0.0&client_unique_id=phone-{number}" for number in range(10)]
    running = [
        f"{start}3.0.0&package_hash={package_hash}&label=v{label}&client_unique_id=phone-{number}"
        for label, package_hash in enumerate(hashes, start=1)
        for number in range(5)
    ]
    return [*fresh, *running, f"{start}2.0.0&client_unique_id=phone-1", f"{start}3.1.0&client_unique_id=phone-1"]


def change_for_a_while(
    build_id: int, actor: Any, seconds: float, questions: list[str], base_url: str, *, pause: float = 0.2
) -> list[dict[str, Any]]:
    """[{started, committed, answers}] of each state, in order; `answers` are those to the questions."""
    chance = random.Random(build_id)
    end = time.monotonic() + seconds
    states = [_describe_state(build_id, questions, base_url, time.time() - 60, time.time() - 60)]
    while time.monotonic() < end:
        started = time.time()
        _change_something(build_id, actor, chance, len(states))
        states.append(_describe_state(build_id, questions, base_url, started, time.time()))
        time.sleep(pause)
    return states


def _change_something(build_id: int, actor: Any, chance: random.Random, number: int) -> None:
    successes = CodePush.objects.filter(build_id=build_id).successful().by_label_descending()
    live = successes.servable().first()
    earlier = successes.filter(label_number__lt=live.label_number or 0).first() if live else None
    if number % 10 == 0 and live and earlier:
        republishing.roll_back(live.pk, to_label=earlier.label, actor=actor)
        return
    # Of the two newest: at least one stays enabled.
    newest, before = successes[:2]
    codepush = chance.choice([newest, newest, before])
    edit_codepush(
        codepush.pk,
        actor=actor,
        description=f"Change {number}",
        is_enabled=codepush == before or chance.random() < 0.7,
        is_mandatory=chance.random() < 0.3,
        rollout_percent=chance.choice([20, 50, 100]),
    )


def _describe_state(
    build_id: int, questions: list[str], base_url: str, started: float, committed: float
) -> dict[str, Any]:
    key = CodePush.objects.filter(build_id=build_id).values_list("build__deployment_key", flat=True)[0]
    snapshot = build_snapshot(key)
    assert snapshot is not None
    answers = []
    for question in questions:
        decision = decide(snapshot, device_api.parse_query(question))
        body = device_api.describe_answer(decision, base_url, is_legacy=False)
        answers.append(_unsigned(json.dumps(body, ensure_ascii=False, separators=(",", ":"))))
    return {"started": started, "committed": committed, "answers": answers}


@dataclass(frozen=True)
class Seen:
    question: int
    sent: float
    received: float
    body: str


def ask_for_a_while(port: int, questions: list[str], seconds: float, *, connections: int = 16) -> list[Seen]:
    """Over enough connections to reach every web process of the server."""
    path = "/api/v0.1/public/codepush/update_check"
    requests = [f"GET {path}?{q} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode() for q in questions]
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    bodies: dict[bytes, str] = {}
    seen: list[Seen] = []
    end = time.time() + seconds
    while time.time() < end:
        for connection in sockets:
            number = len(seen) % len(requests)
            sent = time.time()
            connection.sendall(requests[number])
            body = read_answer(connection)
            seen.append(Seen(number, sent, time.time(), bodies.setdefault(body, _unsigned(body.decode()))))
    for connection in sockets:
        connection.close()
    return seen


def _unsigned(body: str) -> str:
    """Without the signature of an address in a bucket: each process makes its own."""
    return re.sub(r"\?X-Amz-[^\"]*", "", body)


def read_answer(connection: socket.socket) -> bytes:
    """The body of the next answer, which must be 200."""
    received = connection.recv(65536)
    assert received.startswith(b"HTTP/1.1 200"), received[:500]
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return body


@dataclass(frozen=True)
class Verdict:
    checks: int
    wrong: list[Seen]
    # Of each change: for how long after its commit an answer still told the state before.
    propagation_seconds: list[float]


def judge(seen: Iterable[Seen], states: list[dict[str, Any]]) -> Verdict:
    checks, wrong = 0, []
    delays = [0.0] * len(states)
    for answer in seen:
        checks += 1
        told = [n for n, state in enumerate(states) if state["answers"][answer.question] == answer.body]
        may_be = [n for n in told if _was_true(states, n, answer)]
        if not may_be:
            wrong.append(answer)
            continue
        after = may_be[-1] + 1
        if after < len(states):
            delays[after] = max(delays[after], answer.sent - states[after]["committed"])
    return Verdict(checks, wrong, sorted(delays[1:]))


def _was_true(states: list[dict[str, Any]], n: int, answer: Seen) -> bool:
    begun = states[n]["started"] <= answer.received
    is_last = n + 1 == len(states)
    return begun and (is_last or states[n + 1]["committed"] >= answer.sent - FRESH_SECONDS)
