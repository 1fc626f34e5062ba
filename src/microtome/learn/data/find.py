"""Which layout a data folder has, and what is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError, RecipeError, did_you_mean
from microtome.core.events import warn
from microtome.learn.data.class_list import ClassList, class_list_of
from microtome.learn.data.dataset import Annotated, Dataset, Entry, Kind, LabelFile
from microtome.learn.data.group import grouped
from microtome.learn.data.kind import kind_of_masks, share_beside, values_besides
from microtome.learn.data.layouts import annotation_file, by_name, by_suffix, one_mask_an_object
from microtome.learn.data.layouts.folders import children
from microtome.learn.data.layouts.names import VOID_IN_VOC, is_role, is_voc, kind_named, split_named
from microtome.learn.data.problem import Problem
from microtome.learn.data.split import groups_in_two_splits, read_split
from microtome.learn.data.split_lists import with_split_lists
from microtome.learn.data.unknown_layout import what_is_there

__all__ = ["LAYOUTS", "find_dataset", "inner", "opened"]

LAYOUTS: dict[str, ModuleType] = {
    "one_mask_an_object": one_mask_an_object,
    "by_name": by_name,
    "by_suffix": by_suffix,
    "annotation_file": annotation_file,
}
"""In the order in which they are tried."""

_ARCHIVES = (".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar")
_FORMATS = ("coco", "voc", "yolo", "labelme", "via", "cvat", "kaggle")


def find_dataset(
    root: str | os.PathLike[str],
    *,
    kind: Kind | None = None,
    group: str | None = None,
    manifest: str | os.PathLike[str] | None = None,
    layout: str | None = None,
    channels: Sequence[str] | None = None,
    ignore: int | Sequence[int] | None = None,
    skip_bad: bool = False,
) -> Dataset:
    """Find the labelled images of a folder, or those that an annotation file names.

    Nothing is decoded but a few masks, to see what they are.

    Parameters
    ----------
    root : path
        A folder in one of the layouts (docs/how-to/data.md shows them), or an annotation file beside its images. For a zip: `opened`.
    kind : {"semantic", "instance"}, optional
        What the labels are. Left out: what the data says of itself, by a class list, notes in the masks, one file an object; else what
        a sample of the masks looks like, which is told by a warning.
    group : str, optional
        What belongs together: ``"folder"``, or a regular expression with one group, searched in names: ``r"(p\\d+)_"``.
    manifest : path, optional
        A CSV file with a column ``group``. Left out: ``manifest.csv`` in the folder or above it, where there is one.
    layout : str, optional
        The name of a layout (see `LAYOUTS`), or of an annotation format (``"coco"``, ``"voc"``, ...). Left out: the first that fits.
    channels : sequence of str, optional
        An image's files are stacked as channels in this order: folders within ``images/``, or endings of names (``("_dapi", "_actin")``).
    ignore : int or sequence of int, optional
        Values of class masks that mean "not labelled".
    skip_bad : bool
        Whether faulty entries of annotation files are left out, each a problem, instead of an error.

    Returns
    -------
    Dataset
        Splits are those of the folders; those of ``splits/train.txt`` and the like where folders say none; ``splits.json`` or
        ``splits.csv`` (see `microtome.learn.data.split`) wins over both.

    Raises
    ------
    InputError
        If the folder has none of the known layouts; they are listed.
    RecipeError
        If an argument is not understood.

    Examples
    --------
    >>> import tempfile
    >>> from microtome.core.raster import Image, InstanceMap
    >>> from microtome.io.images import write
    >>> from microtome.io.masks import write_mask
    >>> folder = Path(tempfile.mkdtemp())
    >>> write(Image(np.zeros((4, 4), np.uint8)), folder / "images" / "a.png")
    >>> _ = write_mask(InstanceMap(np.eye(4, dtype=int)), folder / "masks" / "a")
    >>> found = find_dataset(folder)
    >>> found.kind, [(entry.name, entry.truth.path.name) for entry in found]
    ('instance', [('images/a', 'a.png')])
    """
    root = Path(root)
    _check(root, kind)
    module = _layout(root, layout, tuple(channels or ()))
    options: dict[str, Any] = {"format": layout} if layout in _FORMATS else {"kind": kind} if module is by_name else {}
    options |= {"skip_bad": skip_bad} if module is annotation_file else {}
    entries, problems = module.find(root, channels=tuple(channels or ()), **options)
    if not any(entry.truth for entry in entries):
        raise InputError(f"{root}: laid out as {module.ABOUT}, and none of {len(entries)} images has labels; {_first(problems)}")
    folder = root if root.is_dir() else root.parent
    entries = with_split_lists(folder, entries)
    entries = grouped(folder, entries, group, None if manifest is None else Path(manifest))
    dataset = Dataset(folder, module.ABOUT, tuple(entries), kind or "instance", problems=tuple(problems))
    dataset = _with_meaning(dataset, kind, ignore)
    stored = next((path for path in (folder / "splits.json", folder / "splits.csv") if path.is_file()), None)
    if stored:
        dataset = read_split(dataset, stored)
    return replace(dataset, problems=(*dataset.problems, *groups_in_two_splits(dataset)))


@contextmanager
def opened(data: str | os.PathLike[str], **options: Any) -> Iterator[Dataset]:
    """The labelled images of a folder, an annotation file, or a zip of either, which is unpacked for the length of the block.

    Parameters
    ----------
    data : path
    **options
        As for `find_dataset`.

    Examples
    --------
    >>> import tempfile, zipfile
    >>> from microtome.core.raster import InstanceMap
    >>> from microtome.io.masks import write_mask
    >>> path = Path(tempfile.mkdtemp()) / "cells.zip"
    >>> mask = write_mask(InstanceMap(np.eye(4, dtype=int)), path.parent / "a")
    >>> with zipfile.ZipFile(path, "w") as archive:
    ...     archive.write(mask, "cells/images/a.png")
    ...     archive.write(mask, "cells/masks/a.png")
    >>> with opened(path) as dataset:
    ...     [entry.name for entry in dataset]
    ['images/a']
    """
    path = Path(data)
    if not _is_zip(path):
        yield find_dataset(path, **options)
        return
    from microtome.io.archive import unpacked

    with unpacked(path) as folder:
        yield find_dataset(inner(folder), **options)


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip" and path.is_file()


def inner(folder: Path) -> Path:
    """The one folder in a folder, the one in that, and so on: archives are often packed so."""
    while True:
        inside = children(folder)
        alone = len(inside) == 1 and not any(child.is_file() and not child.name.startswith(".") for child in folder.iterdir())
        if not alone or split_named(inside[0].name) or is_role(inside[0].name):
            return folder
        folder = inside[0]


def _check(root: Path, kind: str | None) -> None:
    if kind not in (None, "semantic", "instance"):
        raise RecipeError(f"kind: {kind!r}{did_you_mean(str(kind), ('semantic', 'instance'))}")
    if not root.exists():
        raise InputError(f"{root}: there is no such file or folder")
    if not os.access(root, os.R_OK):
        raise InputError(f"{root}: cannot be read: permission denied")
    if _is_zip(root):
        raise InputError(f"{root}: a zip has to be unpacked while it is used: microtome.learn.data.find.opened(path) does that")


def _layout(root: Path, name: str | None, channels: tuple[str, ...]) -> ModuleType:
    if name in _FORMATS or root.is_file():
        if root.suffix.lower() in _ARCHIVES:
            raise InputError(f"{root}: only zips are unpacked here: unpack it, and name the folder")
        if root.is_file() and not annotation_file.recognise(root):
            raise InputError(f"{root}: no annotations that are understood ({', '.join(_FORMATS)}); for images with masks name their folder")
        return annotation_file
    if name is not None:
        if name not in LAYOUTS:
            raise RecipeError(f"layout: {name!r}{did_you_mean(name, (*LAYOUTS, *_FORMATS))}")
        if not LAYOUTS[name].recognise(root, channels=channels):
            raise InputError(f"{root}: not laid out as {name}: {LAYOUTS[name].ABOUT}")
        return LAYOUTS[name]
    fitting = next((layout for layout in LAYOUTS.values() if layout.recognise(root, channels=channels)), None)
    if fitting is None:
        known = "; ".join(one.ABOUT for one in LAYOUTS.values())
        raise InputError(f"{root}: no labelled images found: {what_is_there(root)}. Known layouts: {known}")
    return fitting


def _first(problems: Sequence[Problem]) -> str:
    told = f"the first problem: {problems[0].file}: {problems[0].message}" if problems else "label some of them"
    mask = next((problem.file for problem in problems if problem.kind == "mask-without-image"), "")
    return f"{told}; the first mask is {mask}" if mask else told


def _with_meaning(dataset: Dataset, kind: Kind | None, ignore: int | Sequence[int] | None) -> Dataset:
    """The data set with its kind and its classes."""
    masks = [path for entry in dataset for path in _mask_files(entry)]
    listed = _fitting(dataset, class_list_of(dataset.root, masks), kind, masks) if masks else None
    dataset = replace(dataset, classes=_named(dataset.entries, listed), colours=dict(listed.colours) if listed else {})
    dataset = replace(dataset, kind=kind or "semantic") if listed else _looked_at(dataset, kind, masks)
    if ignore is None and masks and all(map(is_voc, masks)):
        what = "counts nowhere" if dataset.kind == "semantic" else "is no object"
        warn(f"{dataset.root}: the value {VOID_IN_VOC} is Pascal VOC's for borders and {what}")
        ignore = VOID_IN_VOC if dataset.kind == "semantic" else None
    ignored = () if ignore is None else (ignore,) if isinstance(ignore, int) else tuple(ignore)
    if not ignored:
        return _tell_255(dataset, masks) if dataset.kind == "semantic" and not listed else dataset
    if dataset.kind != "semantic":
        raise RecipeError(
            f"ignore: {', '.join(map(str, ignored))} has no meaning for objects; if the labels are classes, say kind='semantic'"
        )
    known = {entry.value: entry for entry in dataset.classes}
    ignoring = {value: ClassEntry(value, known[value].name if value in known else f"ignored {value}", "ignore") for value in ignored}
    return replace(dataset, classes=ClassTable(tuple(sorted((known | ignoring).values(), key=lambda entry: entry.value))))


def _mask_files(entry: Entry) -> tuple[Path, ...]:
    return (entry.truth.path,) if isinstance(entry.truth, LabelFile) else ()


def _fitting(dataset: Dataset, listed: ClassList | None, kind: Kind | None, masks: Sequence[Path]) -> ClassList | None:
    """The class list; none where most masks have other values than it names and look like objects, which is told."""
    if listed is None or kind is not None:
        return listed
    besides = values_besides(masks, listed.classes)
    if not besides or share_beside(masks, listed.classes) <= 0.5 or kind_of_masks(masks).kind == "semantic":
        return listed  # a few masks with a strange value are faulty, not another kind of labels
    values = ", ".join(map(str, besides[:6])) + (", ..." if len(besides) > 6 else "")
    warn(f"{dataset.root}: {listed.path.name} does not name the values {values} that masks have: it is passed over; say kind='semantic' "
         "to use it all the same")  # fmt: skip
    return None


def _tell_255(dataset: Dataset, masks: Sequence[Path]) -> Dataset:
    """Classes that nothing names: 255 beside others is as often "not labelled" as a class."""
    besides = values_besides(masks, dataset.classes)
    if 255 in besides and len(besides) > 1:
        warn(f"{dataset.root}: masks have the value 255 beside {', '.join(map(str, besides[:-1][:6]))}; it counts as a class; "
             "where it means 'not labelled', say ignore=255")  # fmt: skip
    return dataset


def _named(entries: Sequence[Entry], listed: ClassList | None) -> ClassTable:
    """The classes of a list, or of annotations, which share one table a file."""
    if listed:
        return listed.classes
    tables = {entry.truth.path: entry.truth.objects.classes for entry in entries if isinstance(entry.truth, Annotated)}
    found: dict[str, ClassEntry] = {}
    for table in tables.values():
        for entry in table:
            known = found.setdefault(entry.name, entry)
            if known.value != entry.value:
                raise InputError(f"class {entry.name!r} has the value {known.value} in one annotation file and {entry.value} in another: "
                                 f"{', '.join(map(str, tables))}; give both files the same list of classes")  # fmt: skip
    return ClassTable(tuple(sorted(found.values(), key=lambda entry: entry.value)))


def _looked_at(dataset: Dataset, kind: Kind | None, masks: Sequence[Path]) -> Dataset:
    if not masks:
        return replace(dataset, kind=kind or "instance")
    verdict = kind_of_masks(masks)
    named = _kind_of_folders(dataset.root, masks) if kind is None and verdict.assumed else None
    if kind is None and named is None and verdict.assumed:
        what = "classes" if verdict.kind == "semantic" else "objects"
        warn(f"{dataset.root}: nothing says what the labels are; they are taken for {what} ({verdict.assumed}); say kind='semantic' or "
             "kind='instance' to be sure")  # fmt: skip
    decided = kind or named or verdict.kind
    return replace(dataset, kind=decided, classes=verdict.classes if decided == "semantic" else dataset.classes)


def _kind_of_folders(root: Path, masks: Sequence[Path]) -> Kind | None:
    """What the names of all folders of masks say: ``SegmentationObject``, ``instance_masks``."""
    folders = {part for mask in masks for part in mask.parent.relative_to(root).parts if is_role(part)}
    said = {named for folder in folders if (named := kind_named(folder))}
    return said.pop() if len(said) == 1 else None
