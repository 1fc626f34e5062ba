"""ImageJ regions of interest: one ``.roi``, or a ``.zip`` of them as the ROI Manager of ImageJ and Fiji saves it.

An object of one ring is a traced polygon, one with holes or in several parts is a composite; both in whole pixel corners, exact.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import roifile
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.outlines import Outlines, Polygon
from microtome.io.annotations.account import Account
from microtome.io.annotations.numbers import object_numbers
from microtome.io.annotations.rings import bounds, enough, nested
from microtome.io.whole import whole_file

__all__ = ["read", "write"]

_LOWEST, _HIGHEST = -5000, 60535  # ImageJ's 16 bits, read so that both small negatives and large numbers fit
_LARGEST_MEMBER = 1 << 26
_LARGEST_ZIP = 1 << 31
_BEYOND = f"objects beyond {_HIGHEST} px"
_MOVE, _LINE, _CLOSE = 0.0, 1.0, 4.0
_AREAS = {roifile.ROI_TYPE.POLYGON, roifile.ROI_TYPE.FREEHAND, roifile.ROI_TYPE.TRACED, roifile.ROI_TYPE.RECT, roifile.ROI_TYPE.OVAL}
_OVAL_CORNERS = 128
Ring = NDArray[np.float64]


def write(path: Path, outlines: Outlines) -> Account:
    """Write outlines as ImageJ ROIs.

    Parameters
    ----------
    path : Path
        ``.roi`` for a single object, else ``.zip``.
    outlines : Outlines
        Whole-numbered corners are kept exactly, others as 32-bit floats. An ROI's name is its object's number, its property
        ``class`` the class name.

    Returns
    -------
    Account
        Objects that ImageJ's 16-bit coordinates cannot reach are left out and counted.

    Raises
    ------
    InputError
        If a ``.roi`` shall hold anything but one object.
    RunError
        If the disk refuses.
    """
    path = Path(path)
    digits = len(str(max(outlines.objects, default=1)))
    members: dict[str, bytes] = {}
    lost: Counter[str] = Counter()
    for number, polygons in outlines.objects.items():
        roi = _roi(polygons)
        if roi is None:
            lost[_BEYOND] += 1
            continue
        roi.name = f"{number:0{digits}d}"
        if number in outlines.class_names:
            roi.props = f"class: {' '.join(outlines.class_names[number].split())}\n"
        members[f"{roi.name}.roi"] = roi.tobytes()
    if path.suffix.lower() == ".roi":
        if len(members) != 1:
            raise InputError(f"{path}: a .roi file holds one object, found {len(members)}; name it .zip")
        data = next(iter(members.values()))
    else:
        data = _zip(members, outlines.shape)
    with whole_file(path) as temporary:
        temporary.write_bytes(data)
    return Account(path, len(members), dict(lost))


def _roi(polygons: tuple[Polygon, ...]) -> roifile.ImagejRoi | None:
    rings = [ring[:, ::-1] for polygon in polygons for ring in (polygon.outer, *polygon.holes)]
    (left, top), (right, bottom) = bounds(rings)
    if min(left, top) <= _LOWEST or max(right, bottom) > _HIGHEST:
        return None
    roi = roifile.ImagejRoi()
    roi.left, roi.top, roi.right, roi.bottom = (int(edge) for edge in (np.floor(left), np.floor(top), np.ceil(right), np.ceil(bottom)))
    if len(rings) > 1:
        path = [np.column_stack([np.full(len(ring), _LINE), ring]).ravel() for ring in rings]
        for one in path:
            one[0] = _MOVE
        roi.roitype = roifile.ROI_TYPE.RECT  # ImageJ's mark of a composite: a rectangle with a shape
        roi.multi_coordinates = np.concatenate([part for one in path for part in (one, [_CLOSE])]).astype(np.float32)
        roi.shape_roi_size = len(roi.multi_coordinates)
        return roi
    ring = rings[0]
    roi.roitype = roifile.ROI_TYPE.TRACED
    roi.n_coordinates = len(ring)
    roi.integer_coordinates = np.round(ring - (roi.left, roi.top)).astype(np.int32)
    if (ring != np.round(ring)).any():
        roi.options |= roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION
        roi.subpixel_coordinates = ring.astype(np.float32)
    return roi


def _zip(members: dict[str, bytes], shape: tuple[int, int]) -> bytes:
    """Pack ROIs; the image's shape, which ROIs do not know, is the archive's comment. No times: same ROIs, same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.comment = json.dumps({"microtome": {"shape": shape}}).encode()
        for name, data in members.items():
            about = zipfile.ZipInfo(name)
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, data)
    return buffer.getvalue()


def read(path: Path, *, shape: tuple[int, int] | None = None) -> Outlines:
    """Read ImageJ ROIs as outlines.

    Parameters
    ----------
    path : Path
        A ``.roi`` file or a ``.zip`` of them. Nothing is unpacked to the disk.
    shape : tuple of int, optional
        Height and width of the image. Left out: what the file says if Microtome wrote it, else just enough for all outlines.

    Returns
    -------
    Outlines
        Numbered by name where every name is a number of its own, otherwise in order. Lines, points and texts are no areas:
        they are left out, with a warning that counts them.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, or unpacks to more than any ROI needs.
    """
    path = Path(path)
    data = _bytes(path)
    if zipfile.is_zipfile(io.BytesIO(data)):
        rois, known = _members(data, path)
    else:
        rois, known = [_parse(data, f"{path}")], None
    kept = [(roi, polygons) for roi in rois if (polygons := _polygons(roi, path))]
    if skipped := len(rois) - len(kept):
        warn(f"{path}: {skipped} of {len(rois)} ROIs are lines, points, texts or empty, not areas, and were left out")
    if ovals := sum(roi.roitype == roifile.ROI_TYPE.OVAL for roi, _ in kept):
        warn(f"{path}: {ovals} ovals were read as polygons of {_OVAL_CORNERS} corners")
    numbers = object_numbers([roi.name for roi, _ in kept])
    objects = {number: polygons for number, (_, polygons) in sorted(zip(numbers, kept, strict=True), key=lambda one: one[0])}
    names = {number: name for number, (roi, _) in zip(numbers, kept, strict=True) if (name := _class_name(roi))}
    return Outlines(shape or known or enough([polygon for polygons in objects.values() for polygon in polygons]), objects, names)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _members(data: bytes, path: Path) -> tuple[list[roifile.ImagejRoi], tuple[int, int] | None]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = [one for one in archive.infolist() if one.filename.lower().endswith(".roi")]
            _refuse_bombs(inside, path)
            rois = [_parse(archive.read(one), f"{path}: {one.filename}") for one in inside]
            return rois, _shape(archive.comment)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: the zip is damaged, or packed in a way ImageJ does not use ({error})") from None


def _refuse_bombs(inside: list[zipfile.ZipInfo], path: Path) -> None:
    """Members are never read past the size they state, so the stated sizes are what counts."""
    for one in inside:
        if one.file_size > _LARGEST_MEMBER:
            raise InputError(f"{path}: {one.filename} unpacks to {one.file_size} bytes; an ROI needs less than {_LARGEST_MEMBER}")
    if (whole := sum(one.file_size for one in inside)) > _LARGEST_ZIP:
        raise InputError(f"{path}: unpacks to {whole} bytes; ROIs of one image need less than {_LARGEST_ZIP}")


def _shape(comment: bytes) -> tuple[int, int] | None:
    try:
        height, width = json.loads(comment)["microtome"]["shape"]
        return int(height), int(width)
    except (ValueError, KeyError, TypeError):
        return None  # another program's comment


def _parse(data: bytes, place: str) -> roifile.ImagejRoi:
    try:
        return roifile.ImagejRoi.frombytes(data)
    except (ValueError, TypeError, struct.error, IndexError, UnicodeDecodeError, MemoryError) as error:
        raise InputError(f"{place}: not an ImageJ ROI, or damaged ({error})") from None


def _polygons(roi: roifile.ImagejRoi, path: Path) -> tuple[Polygon, ...]:
    """The ROI's area as polygons; empty where it has none."""
    if roi.roitype not in _AREAS or roi.subtype not in (roifile.ROI_SUBTYPE.UNDEFINED,):
        return ()
    try:
        rings = [_oval(roi)] if roi.roitype == roifile.ROI_TYPE.OVAL else roi.coordinates(multi=True)
    except (NotImplementedError, RuntimeError, IndexError) as error:
        raise InputError(f"{path}: ROI {roi.name!r}: its shape cannot be read ({error}); in Fiji, convert it by Edit > Selection > "
                         "Create Mask, Create Selection") from None  # fmt: skip
    if roi.roitype == roifile.ROI_TYPE.RECT and roi.subpixelrect and not roi.composite:
        (left, top), (width, height) = (roi.xd, roi.yd), (roi.widthd, roi.heightd)
        rings = [np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])]
    return nested([_opened(np.asarray(ring, np.float64)[:, ::-1]) for ring in rings])


def _opened(ring: Ring) -> Ring:
    """Without a last corner that repeats the first."""
    return ring[:-1] if len(ring) > 1 and (ring[0] == ring[-1]).all() else ring


def _oval(roi: roifile.ImagejRoi) -> Ring:
    left, top, width, height = (
        (roi.xd, roi.yd, roi.widthd, roi.heightd) if roi.subpixelrect else (roi.left, roi.top, roi.right - roi.left, roi.bottom - roi.top)
    )
    turn = np.linspace(0, 2 * np.pi, _OVAL_CORNERS, endpoint=False)
    return np.column_stack([left + width * (1 + np.cos(turn)) / 2, top + height * (1 + np.sin(turn)) / 2])


def _class_name(roi: roifile.ImagejRoi) -> str:
    lines = (line.partition(":") for line in roi.props.splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == "class"), "")
