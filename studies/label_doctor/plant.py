"""Plant one fault at a time in a copy of a real labelled set, and see whether ``microtome check`` finds and names it.

    MICROTOME_DATA=shared/data .venv/bin/python studies/label_doctor/plant.py

Prints a table: the fault, where it was planted, what was found, and whether ``--fix`` took it away. A copy is some pairs of a set, the
same ones each time; the same copy without a fault is checked first, and must have none of the kinds looked for.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from microtome.core.events import collect_warnings
from microtome.learn.data.doctor.check import Checkup, check
from microtome.learn.data.doctor.fix import fix
from microtome.learn.data.find import find_dataset

Pixels = NDArray[np.integer]


@dataclass(frozen=True)
class Plant:
    """A fault to plant.

    `make` changes a copy and gives the file that should be named (below the copy's folder; empty: the set as a whole).
    """

    name: str
    set: str
    kind: str
    make: Callable[[Path], str]
    task: str | None = None
    fixable: bool = False


SETS = {
    "camvid": ("camvid", "images", "labels", ".png", 10),
    "nuclei": ("dsb2018_nuclei/fluorescence", "images", "labels", ".png", 12),
    "membranes": ("isbi2012", "images", "labels", ".png", 9),
    "pedestrians": ("penn_fudan", "images", "masks", ".png", 8),
}
"""Name to folder, names of the two folders, suffix of masks, and how many pairs of the training part are taken."""


def copy_of(data: Path, name: str, out: Path) -> Path:
    """Some pairs of a set, evenly spread over its training part, with its class list."""
    folder, images, masks, suffix, most = SETS[name]
    source = data / folder / "train"
    found = sorted((source / images).iterdir())
    for part in (images, masks):
        (out / "train" / part).mkdir(parents=True)
    for k in range(most):
        image = found[k * (len(found) - 1) // (most - 1)]
        shutil.copy(image, out / "train" / images / image.name)
        shutil.copy(source / masks / f"{image.stem}{suffix}", out / "train" / masks / f"{image.stem}{suffix}")
    if (data / folder / "classes.json").is_file():
        shutil.copy(data / folder / "classes.json", out / "classes.json")
    return out


def masks_of(folder: Path) -> list[Path]:
    """The masks of a copy, in order."""
    return sorted(path for part in ("labels", "masks") for path in (folder / "train" / part).glob("*"))


def images_of(folder: Path) -> list[Path]:
    """The images of a copy, in order."""
    return sorted((folder / "train" / "images").iterdir())


def read(path: Path) -> Pixels:
    """The values of a mask as they are stored; palettes as indices."""
    pixels = np.array(PIL.Image.open(path))
    return pixels.astype(np.uint8) if pixels.dtype == bool else pixels


def named(path: Path) -> str:
    """A file of a copy as the doctor names it."""
    return path.relative_to(path.parents[2]).as_posix()


def write(path: Path, pixels: Pixels) -> str:
    """Save grey values (or colours) as PNG under the same stem."""
    path.unlink(missing_ok=True)
    path = path.with_suffix(".png")
    PIL.Image.fromarray(pixels).save(path)
    return named(path)


def changed(number: int, change: Callable[[Pixels], Pixels]) -> Callable[[Path], str]:
    """Change the pixels of one mask."""
    return lambda folder: write(masks_of(folder)[number], change(read(masks_of(folder)[number])))


def busiest(folder: Path) -> int:
    """The mask with the most objects of a middling size."""
    return int(np.argmax([len(np.unique(read(path))) for path in masks_of(folder)]))


# ---- values


def as_picture(folder: Path) -> str:
    path = masks_of(folder)[3]
    return write(path, (255 * (read(path) > 0)).astype(np.uint8))


def soft(pixels: Pixels) -> Pixels:
    """Resized to half and back, with interpolation."""
    big = PIL.Image.fromarray((255 * (pixels > 0)).astype(np.uint8))
    height, width = pixels.shape
    small = big.resize((width // 2, height // 2), PIL.Image.Resampling.BILINEAR)
    return np.array(small.resize((width, height), PIL.Image.Resampling.BILINEAR))


def as_jpeg(folder: Path) -> str:
    path = masks_of(folder)[5]
    levels = (255 * (read(path) > 0)).astype(np.uint8)
    path.unlink()
    PIL.Image.fromarray(levels).save(path.with_suffix(".jpg"), quality=75)
    return named(path.with_suffix(".jpg"))


def once_jpeg(folder: Path) -> str:
    path = masks_of(folder)[5]
    temporary = path.with_suffix(".tmp.jpg")
    PIL.Image.fromarray((255 * (read(path) > 0)).astype(np.uint8)).save(temporary, quality=80)
    levels = np.array(PIL.Image.open(temporary))
    temporary.unlink()
    return write(path, levels)


def as_colours(folder: Path) -> str:
    path = masks_of(folder)[2]
    colours = np.array(PIL.Image.open(path).convert("RGB"))
    return write(path, colours)


def with_gaps(folder: Path) -> str:
    """Classes 3 and 4 renamed to 7 and 9 in all masks, and no class list to say so."""
    (folder / "classes.json").unlink()
    table = np.arange(256, dtype=np.uint8)
    table[[3, 4, 7, 9]] = [17, 19, 3, 4]
    files = [write(path, table[read(path)]) for path in masks_of(folder)]
    return files[0]


def from_one(pixels: Pixels) -> Pixels:
    return (pixels + 1).astype(np.uint8)


def strange(pixels: Pixels) -> Pixels:
    pixels = pixels.copy()
    pixels[40:52, 60:80] = 42
    return pixels


def other_palette(folder: Path) -> str:
    """The same colours in another order: the palette a program makes for one picture."""
    path = masks_of(folder)[4]
    colours = PIL.Image.open(path).convert("RGB")
    path.unlink()
    colours.quantize(64).save(path)
    return named(path)


def the_image(folder: Path) -> str:
    number = 6
    grey = np.array(PIL.Image.open(images_of(folder)[number]).convert("L"))
    return write(masks_of(folder)[number], grey)


def in_alpha(folder: Path) -> str:
    path = masks_of(folder)[1]
    alpha = (255 * (read(path) > 0)).astype(np.uint8)
    return write(path, np.dstack([np.full((*alpha.shape, 3), 255, np.uint8), alpha]))


# ---- objects


def two_in_one(folder: Path) -> str:
    path = masks_of(folder)[busiest(folder)]
    pixels = read(path)
    ids, areas = np.unique(pixels[pixels > 0], return_counts=True)
    pixels[pixels == ids[areas.argsort()[-2]]] = ids[areas.argmax()]
    return write(path, pixels)


def speck(folder: Path) -> str:
    path = masks_of(folder)[busiest(folder)]
    pixels = read(path)
    y, x = np.argwhere(pixels[20:-20, 20:-20] == 0)[1000] + 20
    pixels[y, x : x + 2] = pixels.max() + 1
    return write(path, pixels)


def one_number(folder: Path) -> str:
    path = masks_of(folder)[busiest(folder)]
    return write(path, (read(path) > 0).astype(np.uint8))


def wrapped(folder: Path) -> str:
    """Three hundred nuclei, numbered in 8 bits: 256 becomes 0, 257 becomes 1."""
    path = masks_of(folder)[2]
    pixels = np.zeros_like(read(path), np.uint16)
    rows, columns = pixels.shape
    step = int(np.sqrt(rows * columns / 320))
    grid = [(y, x) for y in range(2, rows - step, step) for x in range(2, columns - step, step)][:300]
    for number, (y, x) in enumerate(grid, 1):
        pixels[y : y + step - 3, x : x + step - 3] = number
    return write(path, (pixels % 256).astype(np.uint8))


# ---- place


def shifted(pixels: Pixels) -> Pixels:
    moved = np.zeros_like(pixels)
    moved[6:, :-9] = pixels[:-6, 9:]
    return moved


def exchanged(folder: Path) -> str:
    """Two masks of the same size under each other's names."""
    files = masks_of(folder)
    sizes: dict[tuple[int, ...], Path] = {}
    for path in files:
        other = sizes.setdefault(read(path).shape, path)
        if other != path:
            one, two = other.read_bytes(), path.read_bytes()
            other.write_bytes(two)
            path.write_bytes(one)
            return named(path)
    raise AssertionError("no two masks of one size")


def empty(pixels: Pixels) -> Pixels:
    return np.zeros_like(pixels)


# ---- files and images


def without_mask(folder: Path) -> str:
    masks_of(folder)[4].unlink()
    return named(images_of(folder)[4])


def without_image(folder: Path) -> str:
    images_of(folder)[4].unlink()
    return named(masks_of(folder)[4])


def cut_off(folder: Path) -> str:
    path = masks_of(folder)[7]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return named(path)


def half_size(folder: Path) -> str:
    path = masks_of(folder)[3]
    return write(path, read(path)[::2, ::2])


def twice(folder: Path) -> str:
    """An image and its mask under a second name."""
    image, mask = images_of(folder)[2], masks_of(folder)[2]
    shutil.copy(image, image.with_stem("zz_again"))
    shutil.copy(mask, mask.with_stem("zz_again"))
    return named(image)


def blank(folder: Path) -> str:
    path = images_of(folder)[5]
    PIL.Image.new("RGB", PIL.Image.open(path).size, (12, 12, 12)).save(path)
    return named(path)


def grey_among_colours(folder: Path) -> str:
    path = images_of(folder)[5]
    PIL.Image.open(path).convert("L").save(path)
    return named(path)


def other_spacing(folder: Path) -> str:
    """Pixel sizes of 0.65 um in all images, and of 0.325 um in one."""
    for path in images_of(folder):
        metres = 3.25e-7 if path == images_of(folder)[3] else 6.5e-7
        PIL.Image.open(path).save(path, dpi=(0.0254 / metres, 0.0254 / metres))
    return named(images_of(folder)[3])


def in_two_splits(folder: Path) -> str:
    """An image of the training part, lightly compressed, in the test part as well."""
    image, mask = images_of(folder)[1], masks_of(folder)[1]
    for path in (image, mask):
        (folder / "test" / path.parent.name).mkdir(parents=True)
    PIL.Image.open(image).save(folder / "test" / "images" / f"copy{image.suffix}", quality=60)
    shutil.copy(mask, folder / "test" / mask.parent.name / f"copy{mask.suffix}")
    return "*"


PLANTS = (
    Plant("0 and 255 instead of 0 and 1", "membranes", "mask-0-255", as_picture, "semantic", True),
    Plant("anti-aliased borders", "membranes", "soft-edges", changed(2, soft), "semantic", True),
    Plant("saved as JPEG", "membranes", "jpeg-mask", as_jpeg, "semantic", True),
    Plant("saved as JPEG, then as PNG", "membranes", "jpeg-mask", once_jpeg, "semantic", True),
    Plant("colours instead of classes", "camvid", "colours-as-classes", as_colours, None, True),
    Plant("gaps in class values, no class list", "camvid", "gaps-in-ids", with_gaps, "semantic", True),
    Plant("classes counted from 1", "camvid", "one-based-ids", changed(6, from_one), None, True),
    Plant("a value that no class has", "camvid", "unknown-values", changed(3, strange)),
    Plant("a palette of its own", "camvid", "palette-differs", other_palette, None, True),
    Plant("the image in the mask's place", "camvid", "intensities-as-labels", the_image),
    Plant("mask in the opacity", "membranes", "mask-in-alpha", in_alpha, "semantic", True),
    Plant("an object in two pieces", "nuclei", "object-in-pieces", two_in_one, "instance", True),
    Plant("an object of two pixels", "nuclei", "specks", speck, "instance"),
    Plant("one number for all objects", "nuclei", "one-number-for-all", one_number, "instance", True),
    Plant("numbers that began again at 256", "nuclei", "ids-at-limit", wrapped, "instance"),
    Plant("mask shifted by 6 and 9 pixels", "camvid", "mask-shifted", changed(5, shifted)),
    Plant("mask mirrored", "camvid", "mask-turned", changed(8, np.fliplr), None, True),
    Plant("mask transposed", "pedestrians", "mask-transposed", changed(4, np.transpose), "instance", True),
    Plant("masks of two images exchanged", "camvid", "mask-of-another-image", exchanged),
    Plant("mask inverted", "membranes", "inverted-mask", changed(7, lambda p: (1 - p).astype(np.uint8)), "semantic", True),
    Plant("mask empty", "nuclei", "empty-mask", changed(9, empty), "instance"),
    Plant("image without mask", "camvid", "image-without-mask", without_mask),
    Plant("mask without image", "camvid", "mask-without-image", without_image),
    Plant("mask cut off half-way", "camvid", "cut-off-file", cut_off),
    Plant("mask of half the size", "camvid", "sizes-differ", half_size),
    Plant("image and mask twice", "nuclei", "duplicated-image", twice, "instance"),
    Plant("image blank", "camvid", "blank-image", blank),
    Plant("one grey image among colours", "camvid", "image-kind-differs", grey_among_colours),
    Plant("one image of another pixel size", "nuclei", "spacing-differs", other_spacing, "instance"),
    Plant("an image in two splits", "pedestrians", "same-picture-in-two-splits", in_two_splits, "instance"),
)


@dataclass(frozen=True)
class Outcome:
    """What came of one plant: `others` are kinds found besides, `clean` the kinds in the copy without the fault."""

    found: bool
    named: bool
    fixed: bool | None
    message: str
    others: tuple[str, ...]
    clean: tuple[str, ...]


@cache
def kinds_of_clean(data: Path, name: str, task: str | None) -> frozenset[str]:
    """What is found in a copy without a fault."""
    with tempfile.TemporaryDirectory() as room:
        return frozenset(finding.kind for finding in checked(copy_of(data, name, Path(room) / "clean"), task).findings)


def checked(folder: Path, task: str | None) -> Checkup:
    """The doctor's findings, what is assumed about the set aside."""
    with collect_warnings():
        return check(find_dataset(folder, kind=task))


def try_out(plant: Plant, data: Path, room: Path) -> Outcome:
    """Plant, check, mend, and check again."""
    clean = kinds_of_clean(data, plant.set, plant.task)
    folder = copy_of(data, plant.set, room / "planted")
    file = plant.make(folder)
    checkup = checked(folder, plant.task)
    mine = [finding for finding in checkup.findings if finding.kind == plant.kind]
    named = [finding for finding in mine if file in ("*", finding.file, *finding.others)]
    fixed = None
    if plant.fixable:
        with collect_warnings():
            fix(checkup, room / "mended")
        again = {finding.kind for finding in checked(room / "mended", plant.task).problems}
        fixed = plant.kind not in again and again <= clean
    others = {problem.kind for problem in checkup.problems} - clean - {plant.kind}
    message = named[0].message if named else mine[0].message if mine else ""
    return Outcome(bool(mine), bool(named), fixed, message, tuple(sorted(others)), tuple(sorted(clean)))


def main() -> int:
    data = Path(os.environ["MICROTOME_DATA"])
    missed = 0
    print("| planted | in | found as | in its file | mended | also told | message |\n|---|---|---|---|---|---|---|")
    for plant in PLANTS:
        with tempfile.TemporaryDirectory() as room:
            outcome = try_out(plant, data, Path(room))
        missed += not outcome.named or outcome.fixed is False or plant.kind in outcome.clean
        mended = "" if outcome.fixed is None else "yes" if outcome.fixed else "NO"
        found = plant.kind if outcome.found else "NOT FOUND"
        cells = (plant.name, plant.set, found, "yes" if outcome.named else "NO", mended, ", ".join(outcome.others), outcome.message)
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\n{len(PLANTS) - missed} of {len(PLANTS)} found, named and mended where that is promised")
    return missed


if __name__ == "__main__":
    sys.exit(min(main(), 1))
