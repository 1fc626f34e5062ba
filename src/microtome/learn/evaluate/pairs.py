"""Which prediction belongs to which truth: two folders of masks, a data set and a folder, or annotation files."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError, MicrotomeError, RecipeError
from microtome.core.events import collect_warnings, warn
from microtome.core.objects import Objects
from microtome.core.raster import Image, InstanceMap, ScoreMap, SemanticMap
from microtome.io.find import stem_of
from microtome.learn.data.dataset import Annotated, Dataset, Entry
from microtome.learn.data.group import grouped

__all__ = ["Labels", "Pair", "Pairs", "find_pairs", "load_labels", "load_picture"]

Task = Literal["semantic", "instance", "boxes"]
Labels = SemanticMap | InstanceMap | ScoreMap | Objects
MASKS = (".png", ".tif", ".tiff", ".npy", ".gif", ".bmp", ".nii", ".nii.gz")
_IMAGE_FOLDERS = ("images", "imgs", "image")


@dataclass(frozen=True, eq=False)
class Source:
    """Labels of one image: a mask file, an entry of a data set, or the objects of an annotation file."""

    file: Path | None = None
    dataset: Dataset | None = None
    objects: Objects | None = None

    @property
    def entry(self) -> Entry:
        """The entry, where it is one of a data set."""
        assert self.dataset is not None
        return self.dataset.entries[0]


@dataclass(frozen=True, eq=False)
class Pair:
    """One image's truth and what was predicted for it.

    Attributes
    ----------
    name : str
        With forward slashes, without suffix.
    truth : Source
    pred : Source or None
        None: nothing was predicted.
    against : Source or None
        The other result's prediction, when two are compared.
    image : tuple of Path
        The picture, where it was found.
    group : str
        Empty: the image stands for itself.
    """

    name: str
    truth: Source
    pred: Source | None = None
    against: Source | None = None
    image: tuple[Path, ...] = ()
    group: str = ""


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs of a set.

    Attributes
    ----------
    pairs : tuple of Pair
        By name.
    classes : ClassTable
        What class values mean; empty where nothing says.
    grouped : bool
        Whether groups were named.
    notes : tuple of str
        What was left out.
    """

    pairs: tuple[Pair, ...]
    classes: ClassTable = field(default_factory=lambda: ClassTable(()))
    grouped: bool = False
    notes: tuple[str, ...] = ()


def find_pairs(
    pred: Path, truth: Path, *, task: Task, against: Path | None = None, images: Path | None = None, split: str | None = None,
    group: str | None = None,
) -> Pairs:  # fmt: skip
    """Find what belongs together, by name.

    Parameters
    ----------
    pred, against : Path
        A mask file, a folder of masks, the output folder of ``microtome segment``, or an annotation file.
    truth : Path
        The same, or the folder of a data set.
    task : {"semantic", "instance", "boxes"}
    images : Path, optional
        Where the pictures are; by default those of the data set, of the run that predicted, or of ``images/`` beside the truth.
    split : str, optional
        Only this split of a data set.
    group : str, optional
        Where groups come from: a regular expression with one group, found in names; ``"folder"``; or a CSV file with the columns ``image``
        and ``group``.

    Raises
    ------
    InputError
        If a path does not exist or holds nothing, one is a file and the other a folder, or two masks have one name.
    """
    for path in (pred, truth, *([against] if against else [])):
        if not path.exists():
            raise InputError(f"{path}: does not exist")
    truths, dataset, one_mask = _truths(truth, task, split)
    if one_mask and pred.is_dir():
        raise InputError(f"{pred} and {truth}: give two folders or two files")
    if not one_mask and _is_mask_file(pred) and truth.is_dir():
        raise InputError(f"{pred} and {truth}: give two folders or two files")
    found, notes = _beside(truths, truth, pred, one_mask)
    others, more = _beside(truths, truth, against, one_mask) if against else ({}, [])
    pictures = _pictures(truths, truth, pred, images)
    groups = _groups(truth, truths, group)
    pairs = [
        Pair(name, source, found.get(name), others.get(name), pictures.get(name, ()), groups.get(name, ""))
        for name, source in sorted(truths.items())
    ]
    notes += [f"{against}: {note}" for note in more]
    return Pairs(tuple(pairs), dataset.classes if dataset else ClassTable(()), any(groups.values()), tuple(notes))


def _is_mask_file(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith((*MASKS, ".jpg", ".jpeg"))


def _truths(truth: Path, task: Task, split: str | None) -> tuple[dict[str, Source], Dataset | None, bool]:
    """The truth's sources by name; the data set they are of; whether it is one mask file."""
    if _is_mask_file(truth):
        return {truth.name: Source(truth)}, None, True
    dataset = _dataset(truth, task)
    if dataset is None:
        if split is not None:
            raise RecipeError(f"--split {split}: {truth} is a folder of masks, not a data set with splits")
        sources = _masks(truth)
        if not sources:
            raise InputError(f"{truth}: holds no masks (.png, .tif, .npy, .nii)")
        return sources, None, False
    dataset = dataset.part(split) if split is not None else dataset
    sources = {entry.name: Source(dataset=dataset.only([entry])) for entry in dataset if entry.truth is not None}
    if not sources:
        raise InputError(f"{truth}: none of its {len(dataset)} images has labels")
    return sources, dataset, False


def _dataset(path: Path, task: Task) -> Dataset | None:
    """The data set a path holds; None for a folder that only holds masks."""
    from microtome.learn.data.find import find_dataset

    if path.is_dir() and any(child.name.lower().endswith(MASKS) for child in path.iterdir()):
        return None
    try:
        return find_dataset(path, kind="semantic" if task == "semantic" else "instance")
    except InputError:
        if path.is_file():
            raise
        return None


def _masks(folder: Path) -> dict[str, Source]:
    """Mask files below a folder by their path without suffix; a run's folder stands for its ``masks/``."""
    if (folder / "run.json").is_file() and (folder / "masks").is_dir():
        folder = folder / "masks"
    found: dict[str, Source] = {}
    for path in sorted(path for path in folder.rglob("*") if path.name.lower().endswith(MASKS) and path.name[0] != "."):
        name = stem_of(path.relative_to(folder).as_posix())
        if name in found:
            twin = found[name].file
            raise InputError(f"{folder}: {twin.name if twin else name} and {path.name} are masks of the same name; keep one")
        found[name] = Source(path)
    return found


def _beside(truths: Mapping[str, Source], truth: Path, path: Path, one_mask: bool) -> tuple[dict[str, Source], list[str]]:
    """The prediction of each truth, and what is told of those without one."""
    if one_mask:
        return {next(iter(truths)): Source(path)}, []
    given = _annotated(path, truths, truth) if path.is_file() else _masks(path) or _annotated(path, truths, truth)
    renamed = _renamed(truths, given)
    extra = sorted(set(given) - set(renamed.values()))
    what = "1 prediction has no truth and is" if len(extra) == 1 else f"{len(extra)} predictions have no truth and are"
    notes = [f"{what} left out, the first is {extra[0]}"] if extra else []
    return {name: given[other] for name, other in renamed.items()}, notes


def _annotated(path: Path, truths: Mapping[str, Source], truth: Path) -> dict[str, Source]:
    """The objects of an annotation file, or of a folder of such files, by the image they are of, without suffix."""
    from microtome.io.annotations import read, recognise

    if path.is_dir() and recognise(path) in (None, "masks"):
        return {}
    known = {source.entry.images[0].name: _shape(source) for source in truths.values() if source.dataset is not None}
    shapes = {name: shape for name, shape in known.items() if shape is not None}
    with _with_images_of(path, truth) as complete, collect_warnings() as said:
        images = read(complete, shapes=shapes or None)
    for message in said:
        warn(message.replace(str(complete), str(path)))
    return {stem_of(Path(one.image).as_posix()): Source(objects=one) for one in images}


def _shape(source: Source) -> tuple[int, int] | None:
    truth = source.entry.truth
    return truth.objects.shape if isinstance(truth, Annotated) else None


@contextmanager
def _with_images_of(path: Path, truth: Path) -> Iterator[Path]:
    """COCO's bare list of results knows images and categories by number only: the truth's file says which they are."""
    results = _json(path) if path.suffix.lower() == ".json" and truth.suffix.lower() == ".json" else None
    if not isinstance(results, list):
        yield path
        return
    document = _json(truth)
    known = {name: document[name] for name in ("images", "categories") if isinstance(document, dict) and name in document}
    annotations = [{"id": number, "iscrowd": 0, **one} for number, one in enumerate(results, 1) if isinstance(one, dict)]
    with tempfile.TemporaryDirectory(prefix="microtome-") as folder:
        complete = Path(folder) / path.name
        complete.write_text(json.dumps({**known, "annotations": annotations}), encoding="utf-8")
        yield complete


def _json(path: Path) -> Any:
    from microtome.io.annotations.document import read_json

    return read_json(path)


def _renamed(truths: Iterable[str], given: Iterable[str]) -> dict[str, str]:
    """For each truth the name of its prediction: the same, or else the same last part where only one on each side has it."""
    there = set(given)
    same = {name: name for name in truths if name in there}
    left_t = [name for name in truths if name not in same]
    left_p = [name for name in there if name not in same]
    last_t, last_p = (Counter(name.rsplit("/", 1)[-1] for name in names) for names in (left_t, left_p))
    by_last = {name.rsplit("/", 1)[-1]: name for name in left_p}
    for name in left_t:
        last = name.rsplit("/", 1)[-1]
        if last_t[last] == last_p[last] == 1:
            same[name] = by_last[last]
    return same


def _pictures(truths: Mapping[str, Source], truth: Path, pred: Path, images: Path | None) -> dict[str, tuple[Path, ...]]:
    """The picture of each truth, as far as one is found."""
    if images is not None:
        return _named_pictures(truths, _below(images))
    of_data = {name: source.entry.images for name, source in truths.items() if source.dataset is not None}
    if of_data:
        return of_data
    folder = next((truth.parent / name for name in _IMAGE_FOLDERS if (truth.parent / name).is_dir()), None)
    beside = _named_pictures(truths, _below(folder)) if folder and folder != truth else {}
    return _of_run(pred) | beside


def _below(folder: Path) -> dict[str, Path]:
    from microtome.io.find import find_images

    return {found.stem: found.path for found in find_images([folder])}


def _named_pictures(truths: Mapping[str, Source], there: Mapping[str, Path]) -> dict[str, tuple[Path, ...]]:
    wanted = {stem_of(Path(name).as_posix()) if source.file and name == source.file.name else name: name for name, source in truths.items()}
    return {wanted[name]: (there[other],) for name, other in _renamed(wanted, there).items()}


def _of_run(pred: Path) -> dict[str, tuple[Path, ...]]:
    """The pictures a run read, by the names of its masks."""
    folder = pred if (pred / "run.json").is_file() else pred.parent
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        images = [(str(image["name"]), Path(image["source"])) for image in run["images"]]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {stem_of(Path(name).as_posix()): (source,) for name, source in images if source.is_file()}


def _groups(root: Path, truths: Mapping[str, Source], rule: str | None) -> dict[str, str]:
    """The group of each name; by default those the data set knows."""
    entries = [source.entry if source.dataset is not None else Entry(name, (Path(name),)) for name, source in truths.items()]
    if rule is not None:
        table = Path(rule) if Path(rule).suffix.lower() == ".csv" else None
        entries = grouped(root, entries, None if table else rule, table)
    return {name: entry.group for name, entry in zip(truths, entries, strict=True)}


def load_labels(source: Source, task: Task, *, classes: ClassTable | None = None, truth: bool = False) -> Labels:
    """Read the labels of one image as the task compares them.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    if source.dataset is not None:
        from microtome.learn.data.load import load_truth

        given = source.entry.truth
        return given.objects if task == "boxes" and isinstance(given, Annotated) else load_truth(source.dataset, source.entry)
    if source.objects is not None:
        return _of_objects(source.objects, task)
    assert source.file is not None
    if task == "semantic" and not truth and (scores := _probabilities(source.file)) is not None:
        return scores
    from microtome.io.masks import read_mask

    mask = read_mask(source.file, kind="semantic" if task == "semantic" else "instance")
    return replace(mask, classes=classes) if isinstance(mask, SemanticMap) and classes is not None and len(classes) and truth else mask


def _of_objects(objects: Objects, task: Task) -> Labels:
    from microtome.core.kernels.areas import instance_map

    if task == "semantic":
        raise InputError(f"{objects.image}: the prediction is a file of objects; for task 'semantic' make masks of it first, whose class "
                         "values are those of the truth")  # fmt: skip
    return objects if task == "boxes" else instance_map(objects)


def _probabilities(path: Path) -> ScoreMap | None:
    """A file of fractions, read as the foreground's probability; None for everything else."""
    if path.suffix.lower() not in (".npy", ".tif", ".tiff"):
        return None
    from microtome.io.images import read

    try:
        image = read(path)
    except MicrotomeError:
        return None  # a mask, or nothing at all: whoever reads masks says so
    return ScoreMap(image.pixels, **{**image.geometry(), "axes": image.axes}) if image.pixels.dtype.kind == "f" else None


def load_picture(pair: Pair) -> Image:
    """Read the picture of a pair; several files are its channels."""
    from microtome.learn.data.load import load_image

    return load_image(Entry(pair.name, pair.image))
