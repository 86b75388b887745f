"""A file that a command writes is there whole, or stays as it was."""

from contextlib import suppress
from pathlib import Path

import click
import pytest

from chatapp.command.whole_file import whole_file


def test_it_is_replaced_when_all_is_written(tmp_path: Path) -> None:
    target = tmp_path / "room.jsonl"
    target.write_text("before")
    target.chmod(0o640)
    with whole_file(str(target)) as file:
        file.write(b"half")
        assert target.read_text() == "before"
        file.write(b" and all")
    assert target.read_text() == "half and all"
    assert target.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ValueError])
def test_what_breaks_off_leaves_what_was_there(tmp_path: Path, fault: type[BaseException]) -> None:
    target = tmp_path / "room.jsonl"
    target.write_text("before")
    with suppress(fault), whole_file(str(target)) as file:
        file.write(b"half")
        raise fault
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    target = tmp_path / "no" / "room.jsonl"
    with pytest.raises(click.ClickException, match="No such file or directory"), whole_file(str(target)):
        pass


def test_what_is_no_file_is_written_as_it_is() -> None:
    with whole_file("/dev/null") as file:
        file.write(b"nothing")
    assert not Path("/dev/null").is_file()
