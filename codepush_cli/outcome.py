"""How a command can end. Each has its exit code (README.md) and says in a sentence what to do."""


class Failure(Exception):
    """The command did not do what was asked."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(Failure):
    """The server says no (4xx). Sending it again would not help. `code`: why, for programs, where it says so."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class UsageError(Failure):
    exit_code = 2


class Unreachable(Failure):
    """No answer, or a fault of the server (5xx), each time."""

    exit_code = 3


class UpdateFailed(Failure):
    """The update failed, or was canceled."""

    exit_code = 4


class TimedOut(Failure):
    exit_code = 5
