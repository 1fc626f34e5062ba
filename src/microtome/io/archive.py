"""Zip archives from elsewhere, unpacked into a temporary folder and nowhere else."""

from __future__ import annotations

import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from microtome.core.errors import InputError, MicrotomeError, RunError
from microtome.io.images.limits import FREE, MOST, RATIO

__all__ = ["unpacked"]

_MOST_MEMBERS = 1 << 20
_ENCRYPTED = 0x1
_ALONGSIDE = "__MACOSX"  # what macOS packs beside the files: no content of theirs


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Unpack a zip for the length of the block.

    Parameters
    ----------
    path : Path
        A zip file.

    Yields
    ------
    Path
        A temporary folder with its content, removed when the block ends.

    Raises
    ------
    InputError
        Before anything is written: if a member's name climbs out of the folder or starts at a root, if one is a link, locked by a
        password or there twice, or if all of them unpack to more than 1 GiB and 100 times the zip itself, or to more than 16 GiB.
        While it is written: if the zip is damaged.
    RunError
        If the disk has no room for it.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.zip"
    >>> with zipfile.ZipFile(path, "w") as archive:
    ...     archive.writestr("labels/a.txt", "0 0.5 0.5 0.1 0.1")
    >>> with unpacked(path) as folder:
    ...     [file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*.txt"))]
    ['labels/a.txt']
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(prefix="microtome-") as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(path) as archive:
                members = _checked(archive.infolist(), path)
                _find_room(folder, sum(info.file_size for info in members), path)
                for info, place in members.items():
                    _unpack(archive, info, folder / place)
        except MicrotomeError:
            raise
        except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, NotImplementedError) as error:
            raise InputError(f"{path}: the zip is damaged, or packed in a way that is not read ({error})") from None
        except OSError as error:
            if error.errno is None:  # nothing is wrong with the disk
                raise InputError(f"{path}: the zip is damaged ({error})") from None
            if error.filename == str(path):
                raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
            if isinstance(error, (FileExistsError, NotADirectoryError, IsADirectoryError)):
                raise InputError(f"{path}: a name in the zip is both a file and a folder ({Path(str(error.filename)).name})") from None
            raise RunError(f"{path}: cannot be unpacked into {folder}: {error.strerror or error}") from error
        yield folder


def _checked(infos: list[zipfile.ZipInfo], path: Path) -> dict[zipfile.ZipInfo, PurePosixPath]:
    """The files of the archive, and where each goes."""
    if len(infos) > _MOST_MEMBERS:
        raise InputError(f"{path}: holds {len(infos)} files; up to {_MOST_MEMBERS} are unpacked")
    places: dict[zipfile.ZipInfo, PurePosixPath] = {}
    seen: set[PurePosixPath] = set()
    for info in infos:
        place = _inside(info, path)
        if info.is_dir() or place.parts[0] == _ALONGSIDE:
            continue
        if place in seen:
            raise InputError(f"{path}: {info.filename!r} is in the zip twice; pack it again")
        seen.add(place)
        places[info] = place
    _refuse_bombs(sum(info.file_size for info in infos), path)
    return places


def _inside(info: zipfile.ZipInfo, path: Path) -> PurePosixPath:
    name = info.filename
    place = PurePosixPath(name.replace("\\", "/"))
    rooted = place.is_absolute() or (len(name) > 1 and name[1] == ":")
    if rooted or ".." in place.parts or not place.parts:
        raise InputError(f"{path}: the member {name!r} leads out of the folder it is unpacked to; this zip is not to be trusted")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise InputError(f"{path}: the member {name!r} is a link; pack the file itself")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the others unpack without end what they read at once
        raise InputError(f"{path}: the member {name!r} is packed in a way that is not read; unpack the zip yourself, and name the folder")
    if info.flag_bits & _ENCRYPTED:
        raise InputError(f"{path}: the member {name!r} is locked by a password; unpack the zip yourself, and name the folder")
    return place


def _refuse_bombs(size: int, path: Path) -> None:
    """Members are never read past the size they state, so the stated sizes are what counts."""
    packed = path.stat().st_size
    if size > FREE and (size > RATIO * packed or size > MOST):
        raise InputError(f"{path}: {packed} bytes unpack to {size}, which looks like a trap; if it is sound, unpack it yourself, and "
                         "name the folder")  # fmt: skip


def _find_room(folder: Path, size: int, path: Path) -> None:
    if size > (free := shutil.disk_usage(folder).free):
        raise RunError(f"{path}: unpacks to {size} bytes, and {folder} has {free} left; set TMPDIR to a larger disk")


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
