"""The members of a bundle, whether it is a folder or a zip: read by name, never unpacked, checked against their sums."""

from __future__ import annotations

import hashlib
import itertools
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from microtome.core.errors import InputError

__all__ = [
    "ARCHITECTURE",
    "LARGEST",
    "SUMS",
    "WEIGHTS",
    "has_beside",
    "member_names",
    "read_beside",
    "read_member",
    "sha256",
    "split_member",
]

LARGEST = 1 << 31
"""Bytes: no member is larger, and a zip that says otherwise is refused before it is read."""

SUMS = "sha256sums"

_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

ARCHITECTURE = ".json"
"""What ``networks/NAME.onnx`` is, for torch to build it again: lies beside it as ``networks/NAME.json``."""

WEIGHTS = ".safetensors"
"""Its weights lie beside it as ``networks/NAME.safetensors``; of a bundle's only network, as ``weights.safetensors`` at the top."""


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


def read_member(bundle: Path, name: str, *, most: int | None = None) -> bytes:
    """One member's bytes, `most` (`LARGEST`) at most.

    Raises
    ------
    InputError
        If there is no such member, it is too large, or the zip is damaged.
    """
    _check_name(bundle, name)
    most = LARGEST if most is None else most
    if bundle.is_dir():
        file = bundle / name
        if not file.is_file():
            raise InputError(f"{bundle}: has no {name}")
        if not file.resolve().is_relative_to(bundle.resolve()):
            raise InputError(f"{file}: is a link that leads out of the bundle; refused")
        if file.stat().st_size > most:
            raise InputError(f"{file}: {file.stat().st_size} bytes; this member of a bundle has at most {most}")
        return file.read_bytes()
    try:
        with zipfile.ZipFile(bundle) as archive:
            info = archive.getinfo(name)
            if info.file_size > most:
                raise InputError(f"{bundle}: {name} unpacks to {info.file_size} bytes; this member of a bundle has at most {most}")
            if info.compress_type not in _PACKINGS:
                raise InputError(f"{bundle}: {name} is packed in a way that is not read; pack it by deflate, as zip programs do")
            with archive.open(info) as member:
                return member.read(info.file_size + 1)  # never unpacked further; `archive.read` cuts what it has unpacked
    except KeyError:
        raise InputError(f"{bundle}: has no {name}") from None
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(f"{bundle}: cannot be read as a bundle: {error}") from None


def has_beside(network: str, ending: str) -> bool:
    """Whether a network's account (`ARCHITECTURE`) or its weights (`WEIGHTS`) are in its bundle."""
    return _beside(network, ending) is not None


def read_beside(network: str, ending: str) -> bytes:
    """A network's account (`ARCHITECTURE`) or its weights (`WEIGHTS`), checked against the bundle's sums.

    Parameters
    ----------
    network : str
        Where its ONNX model lies, such as ``a.zip/networks/main.onnx``.
    ending : str

    Raises
    ------
    InputError
        If it is not there, or has changed since the bundle was made.
    """
    found = _beside(network, ending)
    if found is None:
        what = "account of its network" if ending == ARCHITECTURE else "weights for further training"
        raise InputError(f"{network}: its bundle holds no {what} ({Path(network).stem}{ending})")
    bundle, name = found
    data = read_member(bundle, name)
    listed = [line.split("  ", 1)[0] for line in _sums(bundle) if line.split("  ", 1)[1:] == [name]]
    if listed and listed[0] != sha256(data):
        raise InputError(f"{bundle}: {name} has changed since the bundle was made; get the bundle again")
    return data


def _beside(network: str, ending: str) -> tuple[Path, str] | None:
    place = Path(network)
    bundle, name = split_member(place)
    if bundle.is_dir() and place.parent.name == "networks":
        bundle, name = place.parents[1], f"networks/{name}"
    own = PurePosixPath(name).with_suffix(ending).as_posix()
    there = set(member_names(bundle)) if bundle.exists() else set()
    only = ending == WEIGHTS and len([one for one in there if one.endswith(".onnx")]) == 1
    return next(((bundle, one) for one in (own, *(["weights.safetensors"] if only else [])) if one in there), None)


def _sums(bundle: Path) -> list[str]:
    return read_member(bundle, SUMS).decode("utf-8", "replace").splitlines() if SUMS in member_names(bundle) else []


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
    if twice := sorted({one for one, next_one in itertools.pairwise(names) if one == next_one}):
        raise InputError(f"{bundle}: holds {twice[0]} more than once, and readers of zips differ in which they take; refused")
    return names


def _check_name(bundle: Path, name: str) -> None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0]:
        raise InputError(f"{bundle}: the member {name!r} leads out of the bundle; refused")
