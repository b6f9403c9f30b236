"""What a model says about its own fields, as a refusal."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db.models import Model

from builds.errors import InvalidInput
from deployments.policy.text import describe_misleading


def require_clean_fields(instance: Model, names: Collection[str] | None = None) -> None:
    """Raises InvalidInput for the first of these fields (None: of all) whose value the model refuses."""
    # `_meta` is documented API of Django, underscore or not.
    fields = instance._meta.fields  # noqa: SLF001
    checked = [field for field in fields if names is None or field.name in names]
    for field in checked:
        value = field.value_from_object(instance)
        title = field.name.replace("_", " ")
        # PostgreSQL stores no NUL, people are misled by others; fields of models look for neither.
        if isinstance(value, str) and (misleading := describe_misleading(value)):
            raise InvalidInput(f"The {title} holds {misleading}. Remove it.", field=field.name)
        # Nor does a TextField look at its length.
        if isinstance(value, str) and field.max_length is not None and len(value) > field.max_length:
            length = f"{len(value):,} characters; use at most {field.max_length:,}"
            raise InvalidInput(f"The {title} has {length}.", field=field.name)
    try:
        instance.clean_fields(exclude=[field.name for field in fields if field not in checked])
    except ValidationError as refusal:
        name, messages = next(iter(refusal.message_dict.items()))
        raise InvalidInput(messages[0], field=name) from refusal
