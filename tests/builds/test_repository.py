import pytest

from builds.repository import find_commit_url

SHA = "8c41e7d0aa"


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("git@github.com:northwind/app.git", f"https://github.com/northwind/app/commit/{SHA}"),
        ("ssh://git@gitlab.example:2222/mobile/app.git", f"https://gitlab.example/mobile/app/commit/{SHA}"),
        ("https://token@github.com/northwind/app", f"https://github.com/northwind/app/commit/{SHA}"),
        ("git@bitbucket.org:northwind/app.git", f"https://bitbucket.org/northwind/app/commits/{SHA}"),
        ("", ""),
        ("javascript:alert(1)", ""),
        ("/srv/git/app.git", ""),
        ("https://host/path with blanks", ""),
    ],
)
def test_a_commit_is_found_on_the_pages_of_its_host(address: str, page: str) -> None:
    assert find_commit_url(address, SHA) == page


@pytest.mark.parametrize("commit", ["", "main", "8c41e7", "8c41e7d/../../.."])
def test_what_is_no_commit_has_no_page(commit: str) -> None:
    assert find_commit_url("git@github.com:northwind/app.git", commit) == ""
