"""A person's own account: name, e-mail address, password."""

from typing import NamedTuple

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from builds import audit
from builds.cleaning import require_clean_fields
from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditAction
from sign_in import limits, sessions

_EMAIL_SALT = "sign_in.email"
EMAIL_LINK_SECONDS = 24 * 3600


class EmailChange(NamedTuple):
    """What the link in a mail says: this account gets this address, if it still has the one before."""

    user_id: int
    before: str
    after: str


def edit_profile(user_id: int, *, first_name: str, last_name: str) -> User:
    """The account has this name; audit entries keep the name that was theirs then.

    Raises InvalidInput for a value that an account cannot have.
    """
    values = {"first_name": first_name.strip(), "last_name": last_name.strip()}
    user = User.objects.get(pk=user_id)
    for name, value in values.items():
        setattr(user, name, value)
    require_clean_fields(user, values.keys())
    user.save(update_fields=list(values))
    return user


def check_new_email(user_id: int, email: str) -> str:
    """The address as the account may have it once its owner has confirmed it; "" when that changes nothing.

    Raises InvalidInput for what is no address, and for one that belongs to another account: members are added, and
    people of single sign-on recognised, by it.
    """
    user = User.objects.get(pk=user_id)
    before, user.email = user.email, email.strip()
    require_clean_fields(user, ["email"])
    _require_free(user)
    return "" if user.email == before else user.email


def sign_email_change(user_id: int, email: str) -> str:
    """What the link to the new address carries: nobody else can make one, and it works once."""
    change = EmailChange(user_id, User.objects.get(pk=user_id).email, email)
    return signing.dumps(change, salt=_EMAIL_SALT)


def read_email_change(signed: str) -> EmailChange:
    """Raises NotAllowedNow for a link that was not made here, or is a day old."""
    try:
        return EmailChange(*signing.loads(signed, salt=_EMAIL_SALT, max_age=EMAIL_LINK_SECONDS))
    except signing.BadSignature as broken:
        raise NotAllowedNow("This link is broken, or more than a day old. Enter the address again.") from broken


def confirm_email(change: EmailChange) -> None:
    """The account has the address; `change` came from a mail to it. Raises NotAllowedNow, InvalidInput."""
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=change.user_id)
        if user.email != change.before:
            raise NotAllowedNow("The address of this account was changed since. Enter the new one again.")
        user.email = change.after
        _require_free(user)
        user.save(update_fields=["email"])
        audit.record(
            AuditAction.ACCOUNT_EMAIL_CHANGED,
            actor=user,
            project=None,
            before={"email": change.before},
            after={"email": change.after},
        )


def remove_email(user_id: int) -> None:
    """The account has no address: no mail reaches it, also none that resets its password."""
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user_id)
        before, user.email = user.email, ""
        user.save(update_fields=["email"])
        audit.record(
            AuditAction.ACCOUNT_EMAIL_CHANGED,
            actor=user,
            project=None,
            before={"email": before},
            after={"email": ""},
        )


def change_password(user_id: int, *, current_password: str, new_password: str, session_key: str | None = None) -> User:
    """The new password signs in from now on; every session but this one has ended.

    Raises InvalidInput for a wrong current password, or a new one that is too weak.
    """
    user = User.objects.get(pk=user_id)
    # As at sign-in: whoever found an open session cannot guess on here.
    if authenticate(None, username=user.get_username(), password=current_password) is None:
        wait = limits.describe_wait(user.get_username())
        raise InvalidInput(wait or "This is not your password. Nothing was changed.", field="current_password")
    return _set_password(user, new_password, AuditAction.ACCOUNT_PASSWORD_CHANGED, session_key)


def reset_password(user_id: int, *, new_password: str) -> User:
    """The new password signs in from now on, every session has ended. Whoever asks got a link by mail.

    Raises InvalidInput for a password that is too weak.
    """
    return _set_password(User.objects.get(pk=user_id), new_password, AuditAction.ACCOUNT_PASSWORD_RESET, None)


def note_password_set(user: User, *, actor: User) -> None:
    """The support has given the account another password, or none."""
    audit.record(
        AuditAction.ACCOUNT_PASSWORD_CHANGED, actor=actor, project=None, before={"username": user.get_username()}
    )


def note_email_set(user: User, *, before: str, actor: User) -> None:
    """The support has given the account another address."""
    audit.record(
        AuditAction.ACCOUNT_EMAIL_CHANGED,
        actor=actor,
        project=None,
        before={"username": user.get_username(), "email": before},
        after={"email": user.email},
    )


def create_account(*, email: str, first_name: str, last_name: str, password: str | None, source: str) -> User:
    """An account for whoever owns this address, which is also its username. No password: single sign-on only.

    Raises InvalidInput for a password that is too weak, a name that cannot be, or an address that is taken.
    """
    email = email.strip().lower()
    user = User(username=email, email=email, first_name=first_name.strip(), last_name=last_name.strip())
    require_clean_fields(user, ["username", "email", "first_name", "last_name"])
    _require_free(user)
    if password is None:
        user.set_unusable_password()
    else:
        require_strong(password, user, field="new_password")
        user.set_password(password)
    return _save_new(user, source=source)


def find_by_email(email: str) -> User | None:
    """An active account before one that is switched off."""
    return User.objects.filter(email__iexact=email).order_by("-is_active", "pk").first()


def is_admin(username: str) -> bool:
    return User.objects.filter(username=username, is_superuser=True, is_staff=True, is_active=True).exists()


def create_admin(*, username: str, email: str, password: str) -> User:
    """An account with every right. Raises InvalidInput for a name that is taken, or a weak password."""
    user = User(username=username.strip(), email=email.strip(), is_staff=True, is_superuser=True)
    require_clean_fields(user, ["username", "email"])
    _require_free(user)
    require_strong(password, user, field="password")
    user.set_password(password)
    return _save_new(user, source="command")


def require_strong(password: str, user: User, *, field: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as refusal:
        raise InvalidInput(" ".join(refusal.messages), field=field) from refusal


def _save_new(user: User, *, source: str) -> User:
    with transaction.atomic():
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError as taken:
            raise InvalidInput(f"The username {user.username!r} is taken by another account.") from taken
        after = {"username": user.username, "source": source}
        audit.record(AuditAction.ACCOUNT_CREATED, actor=user, project=None, after=after)
    return user


def _set_password(user: User, password: str, action: AuditAction, session_key: str | None) -> User:
    require_strong(password, user, field="new_password")
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        audit.record(action, actor=user, project=None)
        sessions.end_other_sessions(user, current_key=session_key)
    return user


def _require_free(user: User) -> None:
    if user.email and User.objects.filter(email__iexact=user.email).exclude(pk=user.pk).exists():
        raise InvalidInput(f"Another account has the e-mail address {user.email!r}. Use your own.", field="email")
