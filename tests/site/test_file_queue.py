"""The embedded queue: a message is there whole or not at all, and one that is neither stops nobody."""

from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection
from kombu.exceptions import ChannelError
from kombu.simple import SimpleQueue

from codepush_site import file_queue


@pytest.fixture
def messages(tmp_path: Path) -> Iterator[SimpleQueue]:
    options: dict[str, object] = {
        "data_folder_in": str(tmp_path),
        "data_folder_out": str(tmp_path),
        "control_folder": str(tmp_path / "control"),
        "polling_interval": 0.05,
    }
    with Connection(transport=file_queue.Transport, transport_options=options) as connection:
        # Another in each test: kombu remembers for the whole process which ones it made.
        yield connection.SimpleQueue(tmp_path.name)


def get(messages: SimpleQueue) -> object:
    return messages.get(timeout=0.5).payload


def test_what_is_put_is_got_once(messages: SimpleQueue) -> None:
    for number in range(3):
        messages.put({"number": number})
    assert {get(messages)["number"] for _ in range(3)} == {0, 1, 2}  # type: ignore[index]
    with pytest.raises(Empty):
        get(messages)


@pytest.mark.parametrize("content", ["", '{"body": "'])
def test_a_message_that_was_written_in_part_is_left_out(messages: SimpleQueue, tmp_path: Path, content: str) -> None:
    (tmp_path / f"1_made-by-somebody-killed.{tmp_path.name}.msg").write_text(content)
    messages.put({"number": 1})
    assert get(messages) == {"number": 1}


def test_nobody_sees_a_message_before_it_is_whole(
    messages: SimpleQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_killed(*_: object) -> None:
        raise OSError("killed")

    monkeypatch.setattr(Path, "replace", is_killed)
    with pytest.raises(ChannelError):
        messages.put({"number": 1})
    assert list(tmp_path.glob("*.msg")) == []
    with pytest.raises(Empty):
        get(messages)
