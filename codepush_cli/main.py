"""The command `codepush`: where the server is, and how it ends."""

import os
import sys

from codepush_cli.arguments import make_parser
from codepush_cli.outcome import Failure, UsageError
from codepush_cli.server import Server


def main() -> None:
    given = make_parser().parse_args()
    try:
        given.run(_connect(given.url), given)
    except Failure as failure:
        print(f"codepush: {failure.message}", file=sys.stderr)
        sys.exit(failure.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _connect(url: str | None) -> Server:
    url = url or os.environ.get("CODEPUSH_URL", "")
    # Not an option: other people on the machine can read command lines.
    token = os.environ.get("CODEPUSH_TOKEN", "")
    if not url.startswith(("http://", "https://")):
        raise UsageError("Set CODEPUSH_URL to the address of the server, such as https://codepush.example.com.")
    if not token:
        raise UsageError("Set CODEPUSH_TOKEN to a token of the server; make one at its page “API tokens”.")
    return Server(url, token)
