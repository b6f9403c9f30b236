"""Who acts: a person, or a token in a person's name. Wherever a person is taken, a token's user can stand."""

from dataclasses import dataclass

from django.contrib.auth.models import User


@dataclass(frozen=True)
class TokenLimit:
    """How much less than its person a token may do. `project_id` None: every project of the person."""

    token_id: int
    name: str
    role: str
    project_id: int | None


class TokenUser(User):
    """The person that a token acts for. `builds.access` and `visible_to` never give it more than `limit` says."""

    limit: TokenLimit

    class Meta:
        proxy = True
        default_permissions = ()


def name_actor(actor: User | None) -> str:
    """As people read it in the audit log: who it was, and with which token. "worker" for the machinery."""
    if actor is None:
        return "worker"
    name = actor.get_full_name() or actor.get_username()
    return f"{name[:90]} (token {actor.limit.name})" if isinstance(actor, TokenUser) else name
