"""The members of a bundle, whether it is a folder or a zip: read by name, never unpacked, checked against their sums."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path, PurePosixPath

from microtome.core.errors import InputError

__all__ = ["LARGEST", "SUMS", "member_names", "read_member", "sha256", "split_member"]

LARGEST = 1 << 31
"""Bytes: no member is larger, and a zip that says otherwise is refused before it is read."""

SUMS = "sha256sums"


def sha256(data: bytes) -> str:
    """The hash as sha256sums writes it."""
    return hashlib.sha256(data).hexdigest()


def split_member(path: str | Path) -> tuple[Path, str]:
    """The bundle and the member's name: ``a/nuclei.zip/networks/main.onnx`` is in ``a/nuclei.zip``, where that is a file.

    Examples
    --------
    >>> split_member("networks/main.onnx")
    (PosixPath('networks'), 'main.onnx')
    """
    path = Path(path)
    for parent in path.parents:
        if parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return path.parent, path.name


def read_member(bundle: Path, name: str) -> bytes:
    """One member's bytes.

    Raises
    ------
    InputError
        If there is no such member, it is too large, or the zip is damaged.
    """
    _check_name(bundle, name)
    if bundle.is_dir():
        file = bundle / name
        if not file.is_file():
            raise InputError(f"{bundle}: has no {name}")
        if file.stat().st_size > LARGEST:
            raise InputError(f"{file}: {file.stat().st_size} bytes; a member of a bundle has at most {LARGEST}")
        return file.read_bytes()
    try:
        with zipfile.ZipFile(bundle) as archive:
            info = archive.getinfo(name)
            if info.file_size > LARGEST:
                raise InputError(f"{bundle}: {name} unpacks to {info.file_size} bytes; a member of a bundle has at most {LARGEST}")
            return archive.read(info)
    except KeyError:
        raise InputError(f"{bundle}: has no {name}") from None
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(f"{bundle}: cannot be read as a bundle: {error}") from None


def member_names(bundle: Path) -> list[str]:
    """The names of all members, in order."""
    if bundle.is_dir():
        return sorted(file.relative_to(bundle).as_posix() for file in bundle.rglob("*") if file.is_file())
    try:
        with zipfile.ZipFile(bundle) as archive:
            names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{bundle}: cannot be read as a bundle: {error}") from None
    for name in names:
        _check_name(bundle, name)
    return names


def _check_name(bundle: Path, name: str) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0]:
        raise InputError(f"{bundle}: the member {name!r} leads out of the bundle; refused")
