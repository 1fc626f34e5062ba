"""Masks to files and back, without losing an id: `write_mask` chooses the form, `read_mask` finds it by its content.

- `palette_png`: a class for every pixel, up to value 255; opens in colour everywhere.
- `label_png`: an object's number for every pixel, up to 65,535.
- `label_tiff`: more objects than that, and volumes.
- `nifti`: medical volumes, with their place in the world.
- `colour_png`: ids as scattered colours, for viewers that show 16-bit numbers as black; read back exactly.
- `foreign`: what other programs wrote.
- `note`: the few facts that pixels cannot say: kind, classes, scores, spacing. `png`: the container.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from microtome.core.errors import InputError
from microtome.core.raster import SemanticMap
from microtome.io.masks import colour_png, foreign, label_png, label_tiff, nifti, note, palette_png, png
from microtome.io.masks.note import Kind, Mask

__all__ = ["Family", "Form", "read_mask", "write_mask", "write_mask_as"]

Form = Literal["ids", "colour"]
Family = Literal["png", "tiff", "nifti"]
_LARGEST_IN_PNG = 65535


def write_mask(mask: Mask, stem: str | os.PathLike[str], *, form: Form = "ids", family: Family = "png") -> Path:
    """Write a mask without loss, in the plainest file that holds its ids, and return the path.

    Parameters
    ----------
    mask : SemanticMap or InstanceMap, axes yx or zyx
    stem : path
        Folder and name without suffix: ``.png``, ``.tif`` or ``.nii.gz`` is added (dots in the name are kept).
    form : {"ids", "colour"}
        "ids": a palette PNG for classes up to 255, a grey PNG for objects up to 65,535, else a TIFF. "colour": a PNG that ordinary
        viewers show in distinct colours and `read_mask` turns back into the same ids.
    family : {"png", "tiff", "nifti"}
        "tiff" writes a TIFF even where a PNG would do, to stay with pictures that are TIFFs; "nifti" a NIfTI, to stay with volumes that
        are, and in their place.

    Returns
    -------
    Path
        The file written. It appears whole or not at all.

    Raises
    ------
    InputError
        If the mask has no pixels, or the form asked for cannot hold it.
    RunError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from microtome.core.raster import InstanceMap
    >>> path = write_mask(InstanceMap(np.array([[0, 1], [0, 300]])), Path(tempfile.mkdtemp()) / "well.03")
    >>> path.name, read_mask(path).pixels.tolist()
    ('well.03.png', [[0, 1], [0, 300]])
    """
    _refuse_empty(mask, stem)
    kept: dict[str, tuple[note.Writer, str]] = {"tiff": (label_tiff, ".tif"), "nifti": (nifti, ".nii.gz")}
    writer, suffix = kept[family] if family in kept and form == "ids" else _writer(mask, form)
    path = Path(stem).with_name(Path(stem).name + suffix)
    writer.write(mask, path)
    return path


def write_mask_as(mask: Mask, path: str | os.PathLike[str]) -> Path:
    """Write a mask under exactly this name; ``.png``, ``.tif``, ``.tiff``, ``.nii`` or ``.nii.gz``.

    Raises
    ------
    InputError
        For another suffix, for a mask without pixels, or where a PNG cannot hold the ids or the third axis.
    """
    path = Path(path)
    _refuse_empty(mask, path)
    if path.suffix.lower() in (".tif", ".tiff"):
        label_tiff.write(mask, path)
        return path
    if path.name.lower().endswith((".nii", ".nii.gz")):
        nifti.write(mask, path)
        return path
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: masks are written as .png, .tif, .tiff, .nii or .nii.gz")
    writer, suffix = _writer(mask, "ids")
    if suffix != ".png":
        raise InputError(f"{path}: a PNG cannot hold this mask ({mask.axes}, ids to {int(mask.pixels.max())}); name it .tif")
    writer.write(mask, path)
    return path


def _refuse_empty(mask: Mask, place: str | os.PathLike[str]) -> None:
    if not mask.pixels.size:
        raise InputError(f"{place}: a mask of shape {mask.pixels.shape} has no pixels to write")


def _writer(mask: Mask, form: Form) -> tuple[note.Writer, str]:
    low, high = int(mask.pixels.min()), int(mask.pixels.max())
    in_png = mask.ndim == 2 and low >= 0 and high <= _LARGEST_IN_PNG
    if in_png and isinstance(mask, SemanticMap) and high <= 255:
        return palette_png, ".png"  # a palette is already in colour
    if form == "colour":
        return colour_png, ".png"
    return (label_png, ".png") if in_png else (label_tiff, ".tif")


def read_mask(path: str | os.PathLike[str], *, kind: Kind | None = None) -> Mask:
    """Read a mask; ids come back as they were written, whoever wrote them.

    Parameters
    ----------
    path : path
        A PNG, TIFF, GIF, BMP, ``.npy`` or NIfTI file; recognised by its content, not by its name.
    kind : {"semantic", "instance"}, optional
        What to take a file for that does not say itself. Files written here say it. Left out: palettes, 1-bit pictures and masks of
        only 0 and 255 are semantic, everything else is instance.

    Returns
    -------
    SemanticMap or InstanceMap
        With `source` set to the path.

    Raises
    ------
    InputError
        If the file is no mask (colours, JPEG, fractions), is damaged, or cannot be read.
    """
    path = Path(path)
    data = _bytes(path)
    if nifti.recognise(data):
        return nifti.read(path, kind)
    form = foreign.recognise(data)
    if form == "png" and (about := note.parse(png.texts(data, path).get(note.KEYWORD), path)):
        return (colour_png if about.form == "colour" else palette_png if about.form == "palette" else label_png).read(data, about, path)
    if form == "tiff" and (about := note.parse(label_tiff.description(data, path), path)):
        return label_tiff.read(data, about, path)
    return foreign.read(data, form, kind, path)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: this is a folder, not a mask") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
