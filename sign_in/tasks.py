"""Mails, sent by a Celery worker. Safe to run twice; lost, the person asks again, or the sweep does."""

import logging
from typing import Any

from celery import shared_task
from kombu.exceptions import OperationalError as BrokerUnavailable

from builds.errors import NotAllowedNow
from sign_in import mail, sealed

logger = logging.getLogger(__name__)

# A mail server that is away comes back within the hour, or somebody asks again. SMTPException is an OSError.
_RETRIES: dict[str, Any] = {"autoretry_for": (OSError,), "max_retries": 6, "retry_backoff": 10}


@shared_task(name="sign_in.send_password_reset", **_RETRIES)
def send_password_reset(email: str, server: str) -> None:
    mail.send_password_reset(email, server=server)


@shared_task(name="sign_in.send_email_change", **_RETRIES)
def send_email_change(user_id: int, email: str, server: str) -> None:
    mail.send_email_change(user_id, email, server=server)


@shared_task(name="sign_in.send_invitation", **_RETRIES)
def send_invitation(invitation_id: int, server: str) -> None:
    mail.send_invitation(invitation_id, server=server)


@shared_task(name="sign_in.send_notice", **_RETRIES)
def send_notice(address: str, told: dict[str, str]) -> None:
    mail.send_notice(address, told)


@shared_task(name="sign_in.seal_second_factors")
def seal_second_factors() -> None:
    """No Celery retry: the next night does it."""
    written, closed = sealed.seal_all()
    logger.log(
        logging.ERROR if closed else logging.INFO, "second factors: sealed_anew=%s cannot_be_opened=%s", written, closed
    )


def queue(task: Any, *arguments: object) -> None:
    """A worker will do it. Raises NotAllowedNow when no message can be left for one."""
    try:
        task.delay(*arguments)
    except (BrokerUnavailable, OSError) as away:
        raise NotAllowedNow("No mail can be sent just now. Try again in a few minutes.") from away
