"""A zip from elsewhere writes nothing outside of its folder, and nothing it did not announce."""

import stat
import zipfile
from pathlib import Path

import pytest

from microtome.core.errors import InputError, RunError
from microtome.io import archive
from microtome.io.archive import unpacked


def packed(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    return path


def test_the_content_is_there_in_the_block_and_gone_after_it(tmp_path):
    path = packed(tmp_path / "a.zip", {"labels/a.txt": "1", "labels/deep/b.txt": "2", "empty/": "", "__MACOSX/labels/._a.txt": "x"})
    with unpacked(path) as folder:
        found = {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}
    assert found == {"labels/a.txt": "1", "labels/deep/b.txt": "2"}
    assert not folder.exists()


def test_the_folder_goes_when_the_block_fails(tmp_path):
    path = packed(tmp_path / "a.zip", {"a.txt": "1"})
    with pytest.raises(OSError, match="of the block"), unpacked(path) as folder:
        raise OSError("of the block")
    assert not folder.exists()


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/etc/out.txt", "..\\out.txt", "C:\\out.txt", "c:out.txt", "\\\\a\\x"])
def test_a_name_that_leads_out_is_refused_before_anything_is_written(tmp_path, name, monkeypatch):
    (tmp_path / "in").mkdir()
    path = packed(tmp_path / "in" / "a.zip", {"good.txt": "1", name: "2"})
    written = []
    monkeypatch.setattr(archive, "_unpack", lambda *arguments: written.append(arguments))
    with pytest.raises(InputError) as error, unpacked(path):
        pass
    assert f"the member {name!r} leads out of the folder" in str(error.value)
    assert str(path) in str(error.value)
    assert written == []
    assert not list(tmp_path.rglob("out.txt"))


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("labels")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = packed(tmp_path / "a.zip", {link: "/etc"})
    with pytest.raises(InputError, match="'labels' is a link"), unpacked(path):
        pass


def test_locked_members_are_refused(tmp_path):
    path = packed(tmp_path / "a.zip", {"a.txt": "1"})
    data = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + place] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"'a\.txt' is locked by a password"), unpacked(path):
        pass


def test_what_is_there_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr("a.txt", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            zipped.writestr("a.txt", "2")
    with pytest.raises(InputError, match="is in the zip twice"), unpacked(tmp_path / "a.zip"):
        pass
    path = packed(tmp_path / "b.zip", {"a": "1", "a/b": "2"})
    with pytest.raises(InputError, match="both a file and a folder"), unpacked(path):
        pass


def test_bombs_are_refused_by_what_they_announce(tmp_path, monkeypatch):
    path = packed(tmp_path / "a.zip", {"zeros": bytes(1 << 22)})
    monkeypatch.setattr(archive, "FREE", 1 << 20)
    with pytest.raises(InputError, match=f"bytes unpack to {1 << 22}, which looks like a trap"), unpacked(path):
        pass
    monkeypatch.setattr(archive, "RATIO", 1 << 20)
    with unpacked(path) as folder:
        assert (folder / "zeros").stat().st_size == 1 << 22
    monkeypatch.setattr(archive, "MOST", 1 << 21)
    with pytest.raises(InputError, match="looks like a trap"), unpacked(path):
        pass


def test_a_member_is_not_read_past_the_size_it_announces(tmp_path):
    path = packed(tmp_path / "a.zip", {"zeros": bytes(1 << 20)})
    data = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + place
        data[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.zip: the zip is damaged"), unpacked(path):
        pass


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_unpack_without_end_are_refused(tmp_path, packing):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", packing) as archive:
        archive.writestr("zeros", bytes(1 << 20))
    with pytest.raises(InputError, match="packed in a way that is not read; unpack the zip yourself"), unpacked(tmp_path / "a.zip"):
        pass


def test_a_full_disk_is_told_before_anything_is_written(tmp_path, monkeypatch):
    class Usage:
        free = 3

    monkeypatch.setattr(archive.shutil, "disk_usage", lambda place: Usage)
    with pytest.raises(RunError, match=r"unpacks to 4 bytes, and .* has 3 left"), unpacked(packed(tmp_path / "a.zip", {"a": "1234"})):
        pass


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no more", b"text"])
def test_damaged_zips_are_told(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.zip: the zip is damaged"), unpacked(tmp_path / "a.zip"):
        pass


@pytest.mark.parametrize("name", ["none.zip", "."])
def test_what_cannot_be_read_is_told(tmp_path, name):
    with pytest.raises(InputError, match="cannot be read"), unpacked(Path(tmp_path / name)):
        pass
