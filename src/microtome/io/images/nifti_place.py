"""Where a NIfTI volume lies: from its header's affine matrix to spacing, origin and direction, and back.

The convention, for images and masks alike. The world is RAS+ in millimetres, or in the unit the header names: the first coordinate grows
to the patient's right, the second to the front (anterior), the third to the head (superior). `origin` is the world's point of the first
voxel's centre. `direction` has nine numbers, a 3 x 3 matrix by row: a row for each world coordinate, a column of length 1 for each axis of
the array in its own order z, y, x. So

    world = origin + direction @ (spacing * index),    index = (z, y, x)

which holds for pictures of two axes with z = 0. (ITK and DICOM count to the left and to the back: their first two rows change sign.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import Raster
from microtome.core.units import METRES

__all__ = ["affine_of", "place_of", "to_text"]

Affine = NDArray[np.float64]
_UNITS = {"meter": "m", "mm": "mm", "micron": "um", "unknown": "mm"}
_LARGEST = 1e18  # its square is a number of 64 bits yet, and no place is so far
_APART = 0.5  # voxels between where sform and qform put a corner; a quaternion of 32 bits alone may be a tenth off at 500 voxels


def place_of(header: Any, ndim: int, noted: dict[str, Any] | None) -> tuple[dict[str, Any], list[str]]:
    """Spacing, unit, origin and direction as keyword arguments of a raster of `ndim` axes, and what is to be told of them.

    Parameters
    ----------
    header : nibabel.Nifti1Header or Nifti2Header
    ndim : int
        2 or 3.
    noted : dict or None
        The same to the last digit, as Microtome wrote it beside the header. It counts as long as the header still says so too.

    Notes
    -----
    NIfTI's rule: the sform where it is set, else the qform, else no place but the spacing alone.
    """
    notes: list[str] = []
    unit = _UNITS.get(header.get_xyzt_units()[0], "mm")
    if noted and _says_the_same(header, noted, ndim):
        return noted, notes
    sform, qform = _sform(header, notes), _qform(header, notes)
    if sform is not None and qform is not None and (apart := _apart(sform, qform, header)) > _APART:
        notes.append(f"its sform and qform place it differently, by up to {apart:.3g} voxels; the sform was taken")
    affine = qform if sform is None else sform
    steps = _steps(header)
    if affine is None:
        if any(step <= 0 or not np.isfinite(step) for step in steps[:ndim]):
            notes.append("its header gives no voxel size above zero, so no spacing is used")
            return {}, notes
        if header.get_xyzt_units()[0] == "unknown" and all(step == 1 for step in steps[:ndim]):
            return {}, notes
        return {"spacing": tuple(steps[:ndim][::-1]), "unit": unit}, notes
    columns, corner = affine[:3, :3], affine[:3, 3]
    norms = np.sqrt((columns**2).sum(axis=0))
    # the header's own voxel sizes are decimal numbers, where a root of squares has lost the last digits
    rounded = _decimal(norms.astype(header["pixdim"].dtype.newbyteorder("="))).tolist()
    spacing = [step if abs(step - norm) <= 1e-5 * norm else norm for step, norm in zip(steps, rounded, strict=True)]
    direction = (columns / norms)[:, ::-1]
    return {"spacing": tuple(spacing[:ndim][::-1]), "unit": unit,
            "origin": tuple(corner.tolist()), "direction": tuple(direction.ravel().tolist())}, notes  # fmt: skip


def _decimal(values: NDArray[Any]) -> NDArray[np.float64]:
    """Floats of 32 bits as the shortest decimal number that stands for them: 0.65 and not 0.6499999761581421."""
    return np.array([float(str(value)) for value in values.ravel()], np.float64).reshape(values.shape)


def _steps(header: Any) -> list[float]:
    return [float(step) for step in _decimal(header["pixdim"][1:4])]


def _sform(header: Any, notes: list[str]) -> Affine | None:
    if not int(header["sform_code"]):
        return None
    return _sound(np.vstack([*(_decimal(header[f"srow_{axis}"]) for axis in "xyz"), [0, 0, 0, 1]]), "sform", notes)


def _qform(header: Any, notes: list[str]) -> Affine | None:
    """The placement by a quaternion, the voxel sizes and, in ``pixdim[0]``, the hand (nifti1.h, method 2)."""
    if not int(header["qform_code"]):
        return None
    b, c, d = (float(header[f"quatern_{axis}"]) for axis in "bcd")
    a = np.sqrt(1 - (b * b + c * c + d * d)) if b * b + c * c + d * d <= 1 else 0.0 if b * b + c * c + d * d < 1 + 1e-6 else np.nan
    turn = np.array([[a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
                     [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
                     [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c]])  # fmt: skip
    mirror = -1.0 if float(header["pixdim"][0]) < 0 else 1.0
    affine = np.eye(4)
    with np.errstate(invalid="ignore", over="ignore"):  # a damaged header's, refused below
        affine[:3, :3] = turn * np.array(_steps(header)) * [1.0, 1.0, mirror]
    affine[:3, 3] = _decimal(np.array([header[f"qoffset_{axis}"] for axis in "xyz"]))
    return _sound(affine, "qform", notes)


def _sound(affine: Affine, name: str, notes: list[str]) -> Affine | None:
    if (np.abs(affine) < _LARGEST).all():
        norms = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
        if (norms > 0).all() and abs(np.linalg.det(affine[:3, :3] / norms)) > 1e-6:
            return affine
    notes.append(f"its {name} is set, and is no placement (it is not finite, or flat); it was left out")
    return None


def _apart(sform: Affine, qform: Affine, header: Any) -> float:
    """How many voxels apart the two put the volume's corners, at most."""
    extent = np.array([*header.get_data_shape(), 1, 1, 1][:3], np.float64) - 1
    corners = np.array([[*(extent * take), 1.0] for take in np.ndindex(2, 2, 2)])
    gap = corners @ (sform - qform).T
    norms = np.sqrt((sform[:3, :3] ** 2).sum(axis=0))
    return float(np.sqrt((gap**2).sum(axis=1)).max() / norms.min())


def affine_of(raster: Raster) -> tuple[Affine | None, tuple[float, float, float], str]:
    """The affine matrix over index (x, y, z) of a raster that has a place, its voxel sizes x, y, z, and NIfTI's name of their unit.

    Raises
    ------
    InputError
        If origin and direction are not three and nine numbers.
    """
    spacing, unit = _in_nifti_units(raster)
    return _affine(spacing, raster.origin, raster.direction), spacing, unit


def _in_nifti_units(raster: Raster) -> tuple[tuple[float, float, float], str]:
    if raster.spacing is None:
        return (1.0, 1.0, 1.0), "unknown"
    names = {short: long for long, short in _UNITS.items() if long != "unknown"}
    if raster.unit not in names and raster.unit not in METRES:
        return _xyz(raster.spacing), "unknown"
    if raster.unit in names:
        return _xyz(raster.spacing), names[raster.unit]
    if raster.origin is not None:
        raise InputError(f"NIfTI places volumes in m, mm or um, found {raster.unit}; convert spacing and origin")
    return _xyz([step * METRES[raster.unit] / METRES["mm"] for step in raster.spacing]), "mm"


def _xyz(spacing: Any) -> tuple[float, float, float]:
    x, y, z = [*(float(step) for step in reversed(tuple(spacing))), 1.0][:3]
    return x, y, z


def _affine(spacing: tuple[float, ...], origin: tuple[float, ...] | None, direction: tuple[float, ...] | None) -> Affine | None:
    if origin is None and direction is None:
        return None
    corner = np.asarray((0.0, 0.0, 0.0) if origin is None else origin, np.float64)
    turn = np.asarray((0, 0, 1, 0, 1, 0, 1, 0, 0) if direction is None else direction, np.float64)
    if corner.shape != (3,) or turn.shape != (9,):
        raise InputError(f"a place in the world is an origin of 3 numbers and a direction of 9, found {corner.size} and {turn.size}")
    affine = np.eye(4)
    affine[:3, :3] = turn.reshape(3, 3)[:, ::-1] * np.asarray(spacing)
    affine[:3, 3] = corner
    return affine


def to_text(raster: Raster) -> dict[str, Any]:
    """What `place_of` gives back exactly, though the header rounds to 32 bits."""
    facts: dict[str, Any] = {} if raster.spacing is None else {"spacing": list(raster.spacing), "unit": raster.unit}
    given = {name: getattr(raster, name) for name in ("origin", "direction")}
    return facts | {name: [float(number) for number in value] for name, value in given.items() if value is not None}


def _says_the_same(header: Any, noted: dict[str, Any], ndim: int) -> bool:
    """Whether the header holds what was noted, in its own precision: another program may have moved the volume since."""
    try:
        like = Raster(np.zeros((1,) * ndim), "zyx"[-ndim:], **noted)
        affine, steps, unit = affine_of(like)
    except (InputError, TypeError, ValueError):
        return False
    if not np.array_equal(header["pixdim"][1 : 1 + ndim], np.array(steps, header["pixdim"].dtype)[:ndim]):
        return False
    if (affine is not None) != bool(int(header["sform_code"])) or header.get_xyzt_units()[0] != unit:
        return False
    return affine is None or all(
        np.array_equal(header[f"srow_{axis}"], row.astype(header["srow_x"].dtype)) for axis, row in zip("xyz", affine, strict=False)
    )


def notes_of(blocks: Iterator[tuple[int, bytes]], keyword: str) -> dict[str, Any] | None:
    """The JSON that Microtome left in a NIfTI extension (a comment, code 6); None where there is none, or it cannot be read."""
    for code, content in blocks:
        if code == 6 and content.lstrip()[:1] == b"{":
            try:
                found = json.loads(content.rstrip(b"\0"))
            except ValueError:
                continue
            if isinstance(found, dict) and isinstance(found.get(keyword), dict):
                noted: dict[str, Any] = found[keyword]
                return noted
    return None
