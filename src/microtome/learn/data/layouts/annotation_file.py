"""Images beside annotation files: one for all of them (COCO, VIA, CVAT, Kaggle), or one an image (Pascal VOC, LabelMe, YOLO)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath
from typing import NamedTuple

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings, warn
from microtome.core.objects import Objects
from microtome.io.annotations import FORMATS, read
from microtome.io.annotations import recognise as format_of
from microtome.io.annotations.sizes import image_sizes
from microtome.io.find import Found, stem_of
from microtome.learn.data.dataset import Annotated, Entry
from microtome.learn.data.layouts.folders import folders_of, natural, picture_files, same_name_twice
from microtome.learn.data.layouts.names import folded, role_of, split_named, split_of
from microtome.learn.data.problem import Problem

__all__ = ["ABOUT", "SUFFIXES", "find", "recognise"]

ABOUT = "images and annotation files (COCO, Pascal VOC, YOLO, LabelMe, VIA, CVAT, Kaggle)"
SUFFIXES = (".json", ".xml", ".txt", ".csv")

_ONE_AN_IMAGE = ("voc", "labelme", "yolo")
_ORDER = ("coco", "cvat", "via", "kaggle", "voc", "labelme", "yolo")
_SAY_NO_SIZE = ("yolo", "via", "kaggle")
_NO_OBJECTS = ("captions_", "person_keypoints_", "image_info_", "stuff_", "panoptic_")
_LOOKED_AT = 20  # files of a folder: where these are of no format, the others are not either


class _Source(NamedTuple):
    path: Path
    format: str


def recognise(root: Path, *, channels: Sequence[str] = ()) -> bool:
    """Whether `root` is an annotation file, or a folder with such files beside images."""
    return bool(_sources(root)) and (root.is_file() or bool(picture_files(root)))


def find(
    root: Path, *, channels: Sequence[str] = (), format: str | None = None, skip_bad: bool = False
) -> tuple[list[Entry], list[Problem]]:
    """The images that annotations speak of, and those in the folder that none does.

    Parameters
    ----------
    root : Path
        A folder, or one annotation file: then only the images it names, looked for beside it.
    channels : sequence of str
        None can be told apart here; must be empty.
    format : str, optional
        Which annotations to read, where there are several: a name of `microtome.io.annotations.FORMATS`.
    skip_bad : bool
        Whether faulty entries are left out, each a problem ``faulty-annotation``, instead of ending the search.
    """
    if channels:
        raise InputError(f"{root}: channels={tuple(channels)} has no meaning for annotation files, which name one file an image")
    folder = root if root.is_dir() else root.parent
    chosen = _chosen(root, _sources(root), format)
    files = picture_files(folder)
    finder = _Finder(folder, files)
    sizes = image_sizes(folder) if files and any(source.format in _SAY_NO_SIZE for source in chosen) else {}
    for source in chosen:
        shapes = finder.shapes_near(source, sizes) if source.format in _SAY_NO_SIZE else None
        with collect_warnings() as said:
            images = read(source.path, format=source.format, shapes=shapes, skip_bad=skip_bad)
        finder.tell(said, source)
        if len(chosen) > 1 and source.format == "coco" and not any(objects.items for objects in images):
            warn(f"{source.path}: names {len(images)} images and no object; they are taken for images without labels")
            continue
        for objects in images:
            finder.add(objects, source)
    if root.is_dir():
        finder.add_unlabelled(files)
    return finder.entries, finder.problems


class _Finder:
    """Images by what annotations call them: their path, its end, or the stem."""

    def __init__(self, root: Path, files: Sequence[Found]) -> None:
        self.root = root
        self.entries: list[Entry] = []
        self.problems: list[Problem] = []
        self._taken: dict[Path, Path] = {}
        self._by_end: dict[str, list[Found]] = {}
        for one in files:
            parts = folded(one.name).split("/")
            for start in range(len(parts)):
                end = "/".join(parts[start:])
                for key in {end, stem_of(end)}:
                    self._by_end.setdefault(key, []).append(one)

    def add(self, objects: Objects, source: _Source) -> None:
        """One image's annotations."""
        told = source.path.relative_to(self.root).as_posix()
        found = self._nearest(self._files_called(objects.image), source)
        if len(found) != 1:
            what = "no image of this name is there" if not found else f"{len(found)} images have this name"
            others = tuple(one.name for one in found[:12])
            self.problems.append(Problem("annotation-without-image", f"{objects.image}: {what}", told,
                                         "the image was moved, renamed or left out",
                                         "add the image, or give its path in the annotations", others=others))  # fmt: skip
            return
        path = found[0].path
        if path in self._taken:
            self.problems.append(Problem("annotated-twice", f"{found[0].name} was annotated in {self._taken[path].name} already", told,
                                         "one image is named by two annotations", "keep one", others=(found[0].name,)))  # fmt: skip
            return
        self._taken[path] = source.path
        split = split_of(source.path.name) if source.path.is_file() else ""
        truth = Annotated(source.path, replace(objects, image=found[0].name))
        self.entries.append(Entry(found[0].stem, (path,), truth, split or _split_in(found[0])))

    def shapes_near(self, source: _Source, sizes: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        """Sizes of images by their path below the folder that corresponds to the source's; where none does, of all images."""
        place = _place(source.path.relative_to(self.root), is_file=source.path.is_file())
        near = {}
        for name, size in sizes.items():
            parts = _place(PurePosixPath(name), is_file=True)
            if parts[: len(place)] == place:
                file = PurePosixPath(name).name
                near["/".join((*parts[len(place) :], stem_of(file) if source.format == "yolo" else file))] = size
        return near or dict(sizes)

    def _nearest(self, found: list[Found], source: _Source) -> list[Found]:
        """Of files of one name: the one in the folder that corresponds to the source's, or else in its split."""
        if len(found) < 2:
            return found
        path = source.path.relative_to(self.root)
        place, split = (
            _place(path, is_file=source.path.is_file()),
            split_of(path.name) or _split_in(Found(source.path, f"{path.as_posix()}/")),
        )
        there = [one for one in found if _place(PurePosixPath(one.name), is_file=True) == place]
        of_split = [one for one in found if split and _split_in(one) == split]
        return next((some for some in (there, of_split) if len(some) == 1), found)

    def _files_called(self, name: str) -> list[Found]:
        parts = [part for part in PurePosixPath(folded(name.replace("\\", "/"))).parts if part not in ("..", ".", "/")]
        for start in range(len(parts)):
            end = "/".join(parts[start:])
            if found := self._by_end.get(end) or self._by_end.get(stem_of(end)):
                return found
        return []

    def tell(self, said: Sequence[str], source: _Source) -> None:
        """Pass on what reading said; entries that were left out are problems."""
        for message in said:
            fault = message.removesuffix("; left out").removeprefix(f"{source.path}: ").removeprefix(f"{source.path}/")
            if not message.endswith("; left out"):
                warn(message)
                continue
            file = source.path.relative_to(self.root).as_posix() if source.path.is_relative_to(self.root) else source.path.name
            self.problems.append(Problem("faulty-annotation", f"{fault}; it was left out", file,
                                         "the file was edited by hand, cut short, or written by a faulty export",
                                         "mend the entry in the program that wrote the file, and export it again"))  # fmt: skip

    def add_unlabelled(self, files: Sequence[Found]) -> None:
        """Images that no annotation speaks of. Entries come in the order of the files then."""
        order = {one.path: number for number, one in enumerate(files)}
        names = {entry.name: entry.images[0] for entry in self.entries}
        for one in files:
            if one.path in self._taken or any(role_of(part).kind == "labels" for part in one.name.split("/")[:-1]):
                continue
            if one.stem in names:
                self.problems.append(same_name_twice(one.path, names[one.stem], self.root))
                continue
            names[one.stem] = one.path
            self.entries.append(Entry(one.stem, (one.path,), None, _split_in(one)))
            self.problems.append(Problem("image-without-annotation", "no annotation speaks of it", one.name, "the image was never labelled",
                                         "annotate it, with no objects where there are none"))  # fmt: skip
        self.entries.sort(key=lambda entry: order[entry.images[0]])


def _place(path: PurePath, *, is_file: bool) -> tuple[str, ...]:
    """The folders on the way to a file, without those that only say what they hold: ``images/val/a.png`` and ``labels/val`` match."""
    parts = path.parts[:-1] if is_file else path.parts
    return tuple(folded(part) for part in parts if role_of(part).base)


def _split_in(found: Found) -> str:
    return next((split for part in found.name.split("/")[:-1] if (split := split_named(part))), "")


def _chosen(root: Path, sources: Sequence[_Source], format: str | None) -> list[_Source]:
    formats = list(dict.fromkeys(source.format for source in sources))
    if format is not None and format not in formats:
        raise InputError(f"{root}: no {format} annotations there; found {', '.join(formats) or 'none'}")
    best = format or min(formats, key=_ORDER.index)
    if len(formats) > 1 and format is None:
        others = ", ".join(f"{source.path.relative_to(root).as_posix()} ({source.format})" for source in sources if source.format != best)
        warn(f"{root}: the {best} annotations are read; others are there too: {others}; layout='{formats[1]}' reads those")
    return _of_objects(root, [source for source in sources if source.format == best])


def _of_objects(root: Path, sources: list[_Source]) -> list[_Source]:
    """Without the files that COCO itself brings besides its ``instances_*.json``, where that is there too."""
    chosen = [source for source in sources if not source.path.name.lower().startswith(_NO_OBJECTS)]
    if not chosen or len(chosen) == len(sources):
        return sources
    others = ", ".join(source.path.relative_to(root).as_posix() for source in sources if source not in chosen)
    warn(f"{root}: {others}: not read, their names say that they hold no outlines of objects")
    return chosen


def _sources(root: Path) -> list[_Source]:
    """Annotation files in a folder and below it; of formats with one file an image, the folder."""
    if root.is_file():
        name = format_of(root)
        return [_Source(root, name)] if name in _ORDER else []
    found: list[_Source] = []
    for folder, _ in folders_of(root):
        found += _in_folder(folder)
    upper = {source.format: source.path for source in reversed(found) if source.path.is_dir()}
    return [source for source in found if not (source.path.is_dir() and _is_below(source, found, upper))]


def _is_below(source: _Source, found: Sequence[_Source], upper: dict[str, Path]) -> bool:
    """Whether a folder above is read with all that is below it."""
    return upper[source.format] != source.path and upper[source.format] in source.path.parents


def _in_folder(folder: Path) -> Iterator[_Source]:
    files = [child for child in folder.iterdir() if child.suffix.lower() in SUFFIXES and child.is_file() and not child.name.startswith(".")]
    files.sort(key=lambda file: natural(file.name))
    for suffix in SUFFIXES:
        several = [file for file in files if file.suffix.lower() == suffix]
        formats = [(file, _format(file)) for file in several[:_LOOKED_AT]]
        single = next((name for _, name in formats if name in _ONE_AN_IMAGE), None)
        if single:
            yield _Source(folder, single)
        elif any(name for _, name in formats) or len(several) > _LOOKED_AT:
            yield from (_Source(file, name) for file in several if (name := _format(file)) in _ORDER)


def _format(path: Path) -> str | None:
    name = format_of(path)
    return name if name in _ORDER and name in FORMATS else None
