"""Which devices a rollout includes: sticky (a device stays in), monotone in the percentage, new for every update."""

from hashlib import sha256

BUCKETS = 10_000


def find_bucket(deployment_id: str, client_unique_id: str) -> int:
    """The device's place in this update's rollout: 0..9999, both included, evenly spread."""
    digest = sha256(f"{deployment_id}:{client_unique_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest, "big") % BUCKETS


def is_included(deployment_id: str, client_unique_id: str, rollout_percent: int) -> bool:
    """Whether the rollout reaches this device. Raising the percentage keeps all those already in.

    A device that sends no id is outside every unfinished rollout: it could not be kept in or out the next time.
    """
    if rollout_percent >= 100:
        return True
    return bool(client_unique_id) and find_bucket(deployment_id, client_unique_id) < rollout_percent * 100
