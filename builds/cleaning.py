"""What a model says about its own fields, as a refusal."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import model_to_dict

from builds.errors import InvalidInput


def require_clean_fields(instance: Model, fields: Collection[str] | None = None) -> None:
    """Raises InvalidInput for the first of these fields (None: of all) whose value the model refuses."""
    for field, value in model_to_dict(instance, fields).items():
        # PostgreSQL stores no NUL in text, and model fields do not look for it.
        if isinstance(value, str) and "\0" in value:
            raise InvalidInput(f"The {field.replace('_', ' ')} holds a NUL character. Remove it.", field=field)
    # `_meta` is documented API of Django, underscore or not.
    names = [field.name for field in instance._meta.fields]  # noqa: SLF001
    try:
        instance.clean_fields(exclude=[] if fields is None else [name for name in names if name not in fields])
    except ValidationError as refusal:
        field, messages = next(iter(refusal.message_dict.items()))
        raise InvalidInput(messages[0], field=field) from refusal
