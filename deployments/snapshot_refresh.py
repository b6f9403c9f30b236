"""The threads of a web process that keep its snapshots fresh, and the word from those who change something.

Polling alone is enough, and does not depend on Redis. With Redis a change is heard of sooner; a word that is lost, on
either side, costs the rest of one interval.
"""

import logging
import threading
from functools import cache

import redis
from django.conf import settings

from builds.connections import drop_dead_connections
from deployments import snapshot_shelf
from deployments.snapshots import store
from telemetry import measures

logger = logging.getLogger(__name__)

CHANNEL = "codepush:changes"
# A person who changes something waits for this at most, should Redis be away.
_TELL_TIMEOUT_SECONDS = 0.2
_RETRY_SECONDS = 1.0
_PING_SECONDS = 10

_is_running = threading.Event()


def start(interval_seconds: float) -> None:
    """From now on this process sees changes of others within the interval. Call once, after any fork."""
    wake = threading.Event()
    threading.Thread(target=_poll_forever, args=(interval_seconds, wake), name="snapshot-poll", daemon=True).start()
    if settings.REDIS_URL:
        threading.Thread(target=_listen_forever, args=(wake,), name="snapshot-listen", daemon=True).start()
    _is_running.set()


def find_age_seconds() -> float | None:
    """How old the answers of this process may be; None where it does not poll."""
    return store.seconds_since_refresh() if _is_running.is_set() else None


def tell_of_change(deployment_keys: list[str]) -> None:
    """This process knows of the change when this returns; the others hear of it, or find it. To be called after commit.

    Never raises: the change is made.
    """
    store.reread(deployment_keys)
    if not settings.REDIS_URL:
        return
    try:
        _connect().publish(CHANNEL, "")
    except redis.RedisError as error:
        logger.warning("Redis took no word of a change (%s); web processes find it by asking", type(error).__name__)


@cache
def _connect() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=_TELL_TIMEOUT_SECONDS, socket_timeout=_TELL_TIMEOUT_SECONDS
    )


def _poll_forever(interval_seconds: float, wake: threading.Event) -> None:
    is_reachable = True
    while True:
        try:
            drop_dead_connections()
            store.refresh_changed()
            measures.SNAPSHOTS_REFRESHED_AT.labels("web").set_to_current_time()
            snapshot_shelf.write()
            is_reachable = True
        except Exception:
            # Whatever went wrong, the next round tries again: without this thread answers would stay old for ever.
            if is_reachable:
                logger.exception("Snapshots cannot be refreshed; devices are answered from those held.")
            is_reachable = False
        # Here for want of a better place: no other thread of a web process comes round so often.
        measures.hand_on()
        wake.wait(interval_seconds)
        wake.clear()


def _listen_forever(wake: threading.Event) -> None:
    while True:
        try:
            _listen(wake)
        except (redis.RedisError, OSError) as error:
            logger.info("Redis cannot be listened to (%s); changes are found by asking", type(error).__name__)
        # Not at once: the thread that waits here must not keep the processor busy.
        threading.Event().wait(_RETRY_SECONDS)


def _listen(wake: threading.Event) -> None:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=_RETRY_SECONDS, health_check_interval=_PING_SECONDS
    )
    with client, client.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
        channel.subscribe(CHANNEL)
        while True:
            # What was said while nobody listened is found now, too: the first round comes at once.
            wake.set()
            while channel.get_message(timeout=_PING_SECONDS) is None:
                pass
