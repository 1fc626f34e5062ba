"""ImageJ regions of interest: one ``.roi``, or a ``.zip`` of them as the ROI Manager of ImageJ and Fiji saves it.

An object of one ring is a traced polygon, one with holes or in several parts is a composite; both in whole pixel corners, exact.
A file is of one image; several images are a folder of files.
"""

from __future__ import annotations

import io
import json
import math
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import roifile
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.kernels.areas import polygons_of, runs_of
from microtome.core.objects import Object, Objects, class_table
from microtome.core.outlines import Polygon
from microtome.io.annotations.account import Account
from microtome.io.annotations.entries import FARTHEST, Entries, text
from microtome.io.annotations.losses import is_finer_than_pixels, losses
from microtome.io.annotations.numbers import object_numbers
from microtome.io.annotations.ovals import CORNERS, ellipse
from microtome.io.annotations.per_image import is_among, read_each, targets
from microtome.io.annotations.rings import bounds, nested
from microtome.io.annotations.sizes import Shapes, checked, enough, tell_beyond
from microtome.io.whole import whole_file

__all__ = ["SUFFIXES", "read", "recognise", "write"]

SUFFIXES = (".zip", ".roi")
_LOWEST, _HIGHEST = -5000, 60535  # ImageJ's 16 bits, read so that both small negatives and large numbers fit
_LARGEST_MEMBER = 1 << 26
_LARGEST_ZIP = 1 << 31
_BEYOND = f"objects beyond {_HIGHEST} px"
_MOVE, _LINE, _CLOSE = 0.0, 1.0, 4.0
_SHAPES = {roifile.ROI_SUBTYPE.UNDEFINED, roifile.ROI_SUBTYPE.ELLIPSE, roifile.ROI_SUBTYPE.ROTATED_RECT}  # all three list their corners
_AREAS = {roifile.ROI_TYPE.POLYGON, roifile.ROI_TYPE.FREEHAND, roifile.ROI_TYPE.TRACED, roifile.ROI_TYPE.RECT, roifile.ROI_TYPE.OVAL}
Ring = NDArray[np.float64]


def recognise(path: Path) -> bool:
    """Whether a file is an ROI or a zip with some, or the files of a folder are."""
    if path.is_dir():
        return is_among(path, SUFFIXES, recognise)
    try:
        with path.open("rb") as file:
            head = file.read(4)
        if head not in (b"PK\3\4", b"PK\5\6"):
            return head == b"Iout"
        with zipfile.ZipFile(path) as archive:
            return bool(_comment(archive.comment)) or any(name.lower().endswith(".roi") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return path.suffix.lower() == ".zip" and _has_roi_names(path)


def _has_roi_names(path: Path) -> bool:
    """Whether a zip that is cut short begins with an ROI."""
    try:
        with path.open("rb") as file:
            return b".roi" in file.read(512)
    except OSError:
        return False


def write(path: Path, images: Sequence[Objects]) -> Account:
    """Write objects as ImageJ ROIs.

    Parameters
    ----------
    path : Path
        For one image: ``.roi`` for a single object, else ``.zip``. For several: a folder, and a ``.zip`` each, called as the image.
    images : sequence of Objects
        Whole-numbered corners are kept exactly, others as 32-bit floats. An ROI's name is its object's number; its properties are
        ``class`` and ``score``. The image's size and name are the comment of the zip.

    Returns
    -------
    Account
        Objects that ImageJ's 16-bit coordinates cannot reach are left out and counted.

    Raises
    ------
    InputError
        If a ``.roi`` shall hold anything but one object, one file several images, or if two images have one name.
    RunError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> cell = Object(3, (Polygon(np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0]])),), class_name="cell")
    >>> account = write(Path(tempfile.mkdtemp()) / "a.zip", [Objects((4, 4), (cell,), "a.png")])
    >>> (back,) = read(account.path)
    >>> back.image, back.items[0].number, back.items[0].class_name
    ('a.png', 3, 'cell')
    """
    path = Path(path)
    lost = losses(images, holds=("scores", "numbers"))
    written = 0
    for file, objects in targets(path, images, SUFFIXES, ".zip"):
        members = _members_of(objects, lost)
        if file.suffix.lower() == ".roi":
            if len(members) != 1:
                raise InputError(f"{file}: a .roi file holds one object, found {len(members)}; name it .zip")
            data = next(iter(members.values()))
            lost["size and name of the image"] += 1
        else:
            data = _zip(members, objects)
        with whole_file(file) as temporary:
            temporary.write_bytes(data)
        written += len(members)
    return Account(path, written, {what: count for what, count in lost.items() if count})


def _members_of(objects: Objects, lost: Counter[str]) -> dict[str, bytes]:
    digits = len(str(max((item.number for item in objects.items), default=1)))
    members: dict[str, bytes] = {}
    for item in objects.items:
        polygons = polygons_of(item)
        if _overlap(polygons, objects.shape):  # in a composite ROI the pixels they share would be a hole
            lost["parts that lie over each other, now whole pixels"] += is_finer_than_pixels(item, objects.shape)
            polygons = polygons_of(replace(item, polygons=(), runs=runs_of(item, objects.shape)))
        if not polygons:
            lost["objects without a pixel"] += 1
            continue
        roi = _roi(polygons)
        if roi is None:
            lost[_BEYOND] += 1
            continue
        lost["boxes, now rectangular areas"] += item.form == "box"
        lost["corners rounded to 32 bits"] += sum(_rounded(ring) for one in polygons for ring in (one.outer, *one.holes))
        roi.name = f"{item.number:0{digits}d}"
        class_name = " ".join(item.class_name.split())
        lost["class names with other spaces"] += class_name != item.class_name
        roi.props = "".join(f"{key}: {value}\n" for key, value in (("class", class_name), ("score", _score(item))) if value)
        members[f"{roi.name}.roi"] = roi.tobytes()
    return members


def _overlap(polygons: tuple[Polygon, ...], shape: tuple[int, int]) -> bool:
    """Whether some pixels are of several parts."""
    if len(polygons) < 2:
        return False
    return sum(runs_of(Object(1, (polygon,)), shape).area for polygon in polygons) > runs_of(Object(1, polygons), shape).area


def _rounded(ring: Ring) -> int:
    return int((ring.astype(np.float32) != ring).any(axis=1).sum())


def _score(item: Object) -> str:
    return repr(float(item.score)) if item.score is not None and math.isfinite(item.score) else ""


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


def _zip(members: dict[str, bytes], objects: Objects) -> bytes:
    """Pack ROIs; the image's shape and name, which ROIs do not know, are the archive's comment. No times: same ROIs, same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.comment = json.dumps({"microtome": {"shape": objects.shape, "image": objects.image}}).encode()
        for name, data in members.items():
            about = zipfile.ZipInfo(name)
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, data)
    return buffer.getvalue()


def read(path: Path, *, shapes: Mapping[str, tuple[int, int]] | None = None, skip_bad: bool = False) -> list[Objects]:
    """Read ImageJ ROIs.

    Parameters
    ----------
    path : Path
        A ``.zip`` of ROIs or a single ``.roi``, or a folder of such files: each is of one image. Nothing is unpacked to the disk.
    shapes : mapping of str to tuple of int, optional
        Height and width by image file name; the image of ``a.zip`` is the one called ``a``. Left out: what the file says if Microtome
        wrote it, else just enough for all objects, with a warning.
    skip_bad : bool
        Leave faulty ROIs and files out with a warning, instead of raising.

    Returns
    -------
    list of Objects
        As polygons. Numbered by name where every name is a number of its own, otherwise in order. Lines, points and texts are no
        areas: they are left out, with a warning that counts them. The image is called as the file, unless the file says.

    Raises
    ------
    InputError
        If a file cannot be read, is damaged, or unpacks to more than any ROI needs.
    """
    path = Path(path)
    sizes = Shapes(shapes)
    found = list(read_each(path, SUFFIXES, recognise, lambda file: _read_file(file, sizes, skip_bad), skip_bad=skip_bad))
    classes = class_table([item.class_name for _, items, _ in found for item in items])
    images = [Objects(shape, items, image, classes) for shape, items, image in found]
    tell_beyond(images, path)
    return images


def _read_file(path: Path, sizes: Shapes, skip_bad: bool) -> tuple[tuple[int, int], tuple[Object, ...], str]:
    entries = Entries(path, skip_bad=skip_bad)
    data = _bytes(path)
    if zipfile.is_zipfile(io.BytesIO(data)):
        rois, about = _members(data, path, entries)
    else:
        rois, about = [_parse(data, path)], {}
    unreadable = entries.bad
    kept: list[tuple[roifile.ImagejRoi, Object]] = []
    for roi in rois:
        with entries.entry(f"ROI {roi.name!r}"):
            if polygons := _polygons(roi):
                kept.append((roi, Object(0, polygons, class_name=text(_property(roi, "class"), "its class"), score=_score_of(roi))))
    if skipped := len(rois) - len(kept) - (entries.bad - unreadable):
        warn(f"{path}: {skipped} of {len(rois)} ROIs are lines, points, texts or empty, not areas, and were left out")
    if ovals := sum(roi.roitype == roifile.ROI_TYPE.OVAL for roi, _ in kept):
        warn(f"{path}: {ovals} ovals were read as polygons of {CORNERS} corners")
    if len({_plane(roi) for roi, _ in kept}) > 1:
        warn(f"{path}: the ROIs lie on several slices of a stack; they were read as if on one")
    numbers = object_numbers([roi.name for roi, _ in kept])
    items = tuple(replace(item, number=number) for number, (_, item) in zip(numbers, kept, strict=True))
    given = sizes.find(path.name)
    shape = given.shape if given else about.get("shape")
    if shape is None:
        shape = enough([polygon for item in items for polygon in item.polygons], path)
        warn(f"{path}: the image's size is not in the file; it was taken as just large enough for the objects")
    return shape, items, about.get("image") or path.stem


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _members(data: bytes, path: Path, entries: Entries) -> tuple[list[roifile.ImagejRoi], dict[str, Any]]:
    rois = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = [one for one in archive.infolist() if _is_roi(one.filename)]
            _refuse_bombs(inside, path)
            for one in inside:
                with entries.entry(one.filename):
                    roi = _parse(_unpacked(archive, one), None)
                    roi.name = roi.name or PurePosixPath(one.filename).stem  # as the ROI Manager calls them
                    rois.append(roi)
            return rois, _comment(archive.comment)
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: the zip is damaged, or packed in a way ImageJ does not use ({error})") from None


def _is_roi(name: str) -> bool:
    """What macOS packs beside the files has their names too, with two characters before."""
    return name.lower().endswith(".roi") and not PurePosixPath(name).name.startswith("._")


def _unpacked(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(one)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(f"damaged in the zip ({error})") from None


def _refuse_bombs(inside: list[zipfile.ZipInfo], path: Path) -> None:
    """Members are never read past the size they state, so the stated sizes are what counts."""
    for one in inside:
        if one.file_size > _LARGEST_MEMBER:
            raise InputError(f"{path}: {one.filename} unpacks to {one.file_size} bytes; an ROI needs less than {_LARGEST_MEMBER}")
    if (whole := sum(one.file_size for one in inside)) > _LARGEST_ZIP:
        raise InputError(f"{path}: unpacks to {whole} bytes; ROIs of one image need less than {_LARGEST_ZIP}")


def _comment(comment: bytes) -> dict[str, Any]:
    """Shape and name of the image, where Microtome wrote the file."""
    try:
        about = json.loads(comment)["microtome"]
        height, width = about["shape"]
        return {"shape": checked(height, width), "image": text(str(about.get("image", "")), "the image's name")}
    except (ValueError, KeyError, TypeError):
        return {}  # another program's comment


def _parse(data: bytes, path: Path | None) -> roifile.ImagejRoi:
    try:
        return roifile.ImagejRoi.frombytes(data)
    except (ValueError, TypeError, struct.error, IndexError, UnicodeDecodeError, MemoryError) as error:
        raise InputError(f"{f'{path}: ' if path else ''}not an ImageJ ROI, or damaged ({error})") from None


def _polygons(roi: roifile.ImagejRoi) -> tuple[Polygon, ...]:
    """The ROI's area as polygons; empty where it has none."""
    if roi.roitype not in _AREAS or roi.subtype not in _SHAPES:
        return ()
    try:
        rings = _oval(roi) if roi.roitype == roifile.ROI_TYPE.OVAL else roi.coordinates(multi=True)
    except (NotImplementedError, RuntimeError, IndexError) as error:
        raise InputError(f"its shape cannot be read ({error}); in Fiji, convert it by Edit > Selection > Create Mask, "
                         "Create Selection") from None  # fmt: skip
    if roi.roitype == roifile.ROI_TYPE.RECT and roi.subpixelrect and not roi.composite:
        (left, top), (width, height) = (roi.xd, roi.yd), (roi.widthd, roi.heightd)
        rings = [np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])]
    if not all((np.abs(ring) <= FARTHEST).all() for ring in rings):
        raise InputError("one of its corners is no finite number, or farther out than any image")
    return nested([_opened(np.asarray(ring, np.float64)[:, ::-1]) for ring in rings])


def _opened(ring: Ring) -> Ring:
    """Without a last corner that repeats the first."""
    return ring[:-1] if len(ring) > 1 and (ring[0] == ring[-1]).all() else ring


def _oval(roi: roifile.ImagejRoi) -> list[Ring]:
    """Its outline; none where it has no extent."""
    left, top, width, height = (
        (roi.xd, roi.yd, roi.widthd, roi.heightd) if roi.subpixelrect else (roi.left, roi.top, roi.right - roi.left, roi.bottom - roi.top)
    )
    return [ellipse(top + height / 2, left + width / 2, height / 2, width / 2)[:, ::-1]] if width > 0 and height > 0 else []


def _plane(roi: roifile.ImagejRoi) -> tuple[int, int, int]:
    """Its slice, z and time point; 0 where it is on all."""
    return roi.position, roi.z_position, roi.t_position


def _property(roi: roifile.ImagejRoi, name: str) -> str:
    lines = (line.partition(":") for line in roi.props.splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _score_of(roi: roifile.ImagejRoi) -> float | None:
    """Another program's property of that name may be no number, and is then none of ours."""
    try:
        score = float(_property(roi, "score"))
    except ValueError:
        return None
    return score if math.isfinite(score) else None
