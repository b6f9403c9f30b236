"""From the address that a repository is cloned from to the pages of its host. Pure."""

import re

_SCP = re.compile(r"[\w.-]+@(?P<host>[\w.-]+):(?P<path>[^\s]+)")
_URL = re.compile(r"(?:https?|ssh|git)://(?:[^@/\s]+@)?(?P<host>[\w.-]+)(?::\d+)?/(?P<path>[^\s?#]+)")
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)


def find_commit_url(repository_url: str, commit: str) -> str:
    """Where people can read the commit; "" when address or commit do not look like what they should be.

    GitHub, GitLab, Gitea and their kin share the form; Bitbucket has one of its own.
    """
    found = _SCP.fullmatch(repository_url) or _URL.fullmatch(repository_url)
    if found is None or not _COMMIT.fullmatch(commit):
        return ""
    path = found["path"].strip("/").removesuffix(".git")
    pages = "commits" if found["host"] == "bitbucket.org" else "commit"
    return f"https://{found['host']}/{path}/{pages}/{commit}"
