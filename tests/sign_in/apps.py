"""An authenticator app, and people who have one."""

import re
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.auth.models import User
from django.test import Client

from tests.deployments.pages import text_of

PASSWORD = "correct-horse-battery"


class App:
    """Shows codes as a phone does. `ahead`: by how many half minutes its clock is."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def code(self, ahead: int = 0) -> str:
        return format_hotp_value(hotp_value(self.secret, int(time.time()) // 30 + ahead))


def give_app(user: User) -> App:
    """The person has an app, and ten recovery codes."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return App(secret)


def list_codes(user: User) -> list[str]:
    """The recovery codes that are left."""
    authenticator = Authenticator.objects.get(user=user, type="recovery_codes")
    codes: list[str] = RecoveryCodes(authenticator).get_unused_codes()
    return codes


def give_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    return user


def set_up_app(client: Client) -> App:
    """By the pages, as somebody who has just confirmed the password."""
    page = text_of(client.get("/account/app/"))
    app = App(re.findall(r'data-copy="([A-Z2-7]{32})"', page)[0])
    answer = client.post("/account/app/", {"code": app.code()})
    assert answer.headers["Location"] == "/account/recovery-codes/"
    return app


def begin_sign_in(username: str, *, page: str = "/sign-in/") -> tuple[Client, str]:
    """A browser after the password, and where it is sent."""
    client = Client()
    answer = client.post(page, {"username": username, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    return client, answer.headers["Location"]
