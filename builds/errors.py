"""What a service says when it refuses: one sentence for the person who asked. Interfaces map the class to a status."""


class DomainError(Exception):
    """A refusal. `message` names what was wrong, with which value, and what to do; `field` the input it is about."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(DomainError):
    """A value that cannot be taken, whatever the state (422)."""


class AlreadyTaken(InvalidInput):
    """A value that must be unique, and belongs to another object."""


class NotAllowedNow(DomainError):
    """A request that does not fit the present state of the object (409)."""


class TryLater(NotAllowedNow):
    """What an outage forbids: the same request may succeed in a moment (409 to a person, 503 to a program)."""


class StaleView(NotAllowedNow):
    """Somebody changed what the person was looking at (409, with a fresh view)."""
