"""A person's own account: name, e-mail address, password."""

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from builds.cleaning import require_clean_fields
from builds.errors import InvalidInput


def edit_profile(user_id: int, *, first_name: str, last_name: str, email: str) -> User:
    """The account has this name and address; audit entries keep the name that was theirs then.

    Raises InvalidInput for a value that an account cannot have, or an address that belongs to another one: members
    are added by it.
    """
    values = {"first_name": first_name.strip(), "last_name": last_name.strip(), "email": email.strip()}
    user = User.objects.get(pk=user_id)
    for name, value in values.items():
        setattr(user, name, value)
    require_clean_fields(user, values.keys())
    if user.email and User.objects.filter(email__iexact=user.email).exclude(pk=user.pk).exists():
        raise InvalidInput(f"Another account has the e-mail address {user.email!r}. Use your own.", field="email")
    user.save(update_fields=list(values))
    return user


def change_password(user_id: int, *, current_password: str, new_password: str) -> User:
    """The new password signs in from now on; sessions that were opened with the old one have ended.

    Raises InvalidInput for a wrong current password, or a new one that is too weak.
    """
    user = User.objects.get(pk=user_id)
    if not user.check_password(current_password):
        raise InvalidInput("This is not your password. Nothing was changed.", field="current_password")
    try:
        validate_password(new_password, user)
    except ValidationError as refusal:
        raise InvalidInput(" ".join(refusal.messages), field="new_password") from refusal
    user.set_password(new_password)
    user.save(update_fields=["password"])
    return user
