"""A file is there whole or not at all."""

import errno
import os

import pytest

from microtome.core.errors import RunError
from microtome.io.whole import whole_file


def write_half(path, error):
    with whole_file(path) as temporary:
        temporary.write_text("half")
        raise error


def test_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "a" / "b" / "naïve Zellen.tif"
    with whole_file(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".tif"
        temporary.write_bytes(b"done")
        assert not path.exists()
    assert path.read_bytes() == b"done"
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(error):
        write_half(path, error())
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["table.csv"]


def test_full_disk_is_a_run_error_with_the_path(tmp_path):
    path = tmp_path / "mask.png"
    with pytest.raises(RunError, match=r"mask\.png: the disk is full"):
        write_half(path, OSError(errno.ENOSPC, "No space left on device"))
    assert os.listdir(tmp_path) == []


def test_an_error_about_another_file_is_not_renamed(tmp_path):
    with pytest.raises(FileNotFoundError, match="elsewhere"), whole_file(tmp_path / "x"):
        (tmp_path / "elsewhere").read_text()


def test_a_folder_in_the_way_is_named(tmp_path):
    (tmp_path / "x.png").mkdir()
    with pytest.raises(RunError, match="a folder of this name is there"), whole_file(tmp_path / "x.png") as temporary:
        temporary.write_bytes(b"done")
    assert os.listdir(tmp_path) == ["x.png"]


def test_a_file_where_a_folder_should_be_is_named(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(RunError, match=r"cannot be written"), whole_file(tmp_path / "out" / "x.png"):
        pass


def test_a_writer_that_writes_nothing_is_told(tmp_path):
    with pytest.raises(RunError, match="left no file"), whole_file(tmp_path / "x.png"):
        pass


def test_long_names_and_many_dots_fit(tmp_path):
    path = tmp_path / ("ä" * 100 + ".v1.2.ome.tif")
    with whole_file(path) as temporary:
        temporary.write_bytes(b"")
    assert path.exists()
