"""Each fault planted once in a small set that is clean without it: found, named with its file, mended where that is promised."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.io.masks import read_mask
from microtome.learn.data.doctor.check import Checkup, check
from microtome.learn.data.doctor.fix import fix
from microtome.learn.data.find import find_dataset


@dataclass(frozen=True)
class Folder:
    """A data folder and what its labels are."""

    root: Path
    task: str

    def image(self, number: int) -> Path:
        return self.root / "images" / f"p{number}.png"

    def mask(self, number: int) -> Path:
        return self.root / "masks" / f"p{number}.png"

    def read(self, number: int) -> NDArray[np.uint8]:
        return np.array(PIL.Image.open(self.mask(number)))

    def write(self, number: int, pixels: NDArray[np.integer], suffix: str = ".png", **options: object) -> str:
        """Put other pixels in a mask's place, and give the file's name."""
        self.mask(number).unlink(missing_ok=True)
        path = self.mask(number).with_suffix(suffix)
        PIL.Image.fromarray(pixels).save(path, **options)
        return f"masks/{path.name}"

    def check(self) -> Checkup:
        with collect_warnings():
            found = check(find_dataset(self.root, kind=self.task))
        json.dumps([[asdict(finding) for finding in found.findings], found.summary.as_dict()])  # plain data throughout
        return found

    def problems(self) -> list[tuple[str, str]]:
        return [(problem.kind, problem.file) for problem in self.check().problems]


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str], Folder]:
    """``folder("instance")``: eight pictures of 96 x 128 with a dozen blobs each, and their masks, without a fault."""

    def make(task: str) -> Folder:
        made = Folder(tmp_path / "data", task)
        for name in ("images", "masks"):
            (made.root / name).mkdir(parents=True)
        for number in range(8):
            labels = blobs(number)
            image = 40 + 120 * (labels > 0) + np.random.default_rng(number).integers(0, 20, labels.shape)
            PIL.Image.fromarray(image.astype(np.uint8)).save(made.image(number))
            made.write(number, labels if task == "instance" else (labels > 0).astype(np.uint8))
        return made

    return make


def blobs(seed: int) -> NDArray[np.uint8]:
    """Numbered discs that do not touch."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :128]
    labels = np.zeros(y.shape, np.uint8)
    for row in range(3):
        for column in range(4):
            centre = 18 + 29 * row + rng.integers(-4, 5), 18 + 30 * column + rng.integers(-4, 5)
            labels[(y - centre[0]) ** 2 + (x - centre[1]) ** 2 < rng.integers(6, 10) ** 2] = labels.max() + 1
    return labels


Make = Callable[[str], Folder]


def mended(made: Folder, tmp_path: Path) -> Folder:
    """The copy that --fix writes, which has none of the problems."""
    with collect_warnings():
        record = fix(made.check(), tmp_path / "mended")
    copy = Folder(tmp_path / "mended", made.task)
    assert copy.problems() == [(left["kind"], left["file"]) for left in record["left"]] == []
    return copy


@pytest.mark.parametrize("task", ["semantic", "instance"])
def test_a_clean_set_has_no_findings(folder: Make, task: str) -> None:
    checkup = folder(task).check()
    assert checkup.findings == ()
    assert checkup.survey.in_place
    assert checkup.summary.images == checkup.summary.labelled == 8


def test_0_and_255(folder: Make, tmp_path: Path) -> None:
    made = folder("semantic")
    before = made.read(2)
    file = made.write(2, 255 * before)
    assert made.problems() == [("mask-0-255", file)]
    assert np.array_equal(mended(made, tmp_path).read(2), before)


def test_0_and_255_for_objects_numbers_the_areas(folder: Make, tmp_path: Path) -> None:
    made = folder("instance")
    before = made.read(2)
    file = made.write(2, (255 * (before > 0)).astype(np.uint8))
    assert made.problems() == [("mask-0-255", file)]
    after = read_mask(mended(made, tmp_path).mask(2)).pixels
    assert np.array_equal(after > 0, before > 0)
    assert len(np.unique(after)) == len(np.unique(before))


def test_a_whole_set_of_0_and_255_is_named_file_by_file(folder: Make) -> None:
    made = folder("semantic")
    for number in range(8):
        made.write(number, 255 * made.read(number))
    assert [kind for kind, _ in made.problems()] == ["mask-0-255"] * 8


def test_anti_aliased(folder: Make, tmp_path: Path) -> None:
    made = folder("semantic")
    before = made.read(3)
    big = PIL.Image.fromarray(255 * before).resize((192, 144), PIL.Image.Resampling.BICUBIC)
    file = made.write(3, np.array(big.resize((128, 96), PIL.Image.Resampling.BILINEAR)))
    (problem,) = made.check().problems
    assert (problem.kind, problem.file, problem.values[:2]) == ("soft-edges", file, (0, 255))
    assert np.mean(mended(made, tmp_path).read(3) != before) < 0.02


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_jpeg(folder: Make, tmp_path: Path, suffix: str) -> None:
    made = folder("semantic")
    before = made.read(3)
    made.write(3, 255 * before, ".jpg", quality=70)
    file = "masks/p3.jpg"
    if suffix == ".png":
        lossy = np.array(PIL.Image.open(made.mask(3).with_suffix(".jpg")))
        made.mask(3).with_suffix(".jpg").unlink()
        file = made.write(3, lossy)
    assert made.problems() == [("jpeg-mask", file)]
    assert np.mean(mended(made, tmp_path).read(3) != before) < 0.02


def test_colours_by_the_class_list(folder: Make, tmp_path: Path) -> None:
    made = folder("semantic")
    listed = [{"id": 0, "name": "ground", "color": [10, 200, 30]}, {"id": 1, "name": "cell", "color": [250, 0, 120]}]
    (made.root / "classes.json").write_text(json.dumps({"classes": listed}))
    before = made.read(5)
    file = made.write(5, np.array([[10, 200, 30], [250, 0, 120]], np.uint8)[before])
    (problem,) = made.check().problems
    assert (problem.kind, problem.file, set(problem.values)) == ("colours-as-classes", file, {"#0ac81e", "#fa0078"})
    assert "cell (1)" in problem.message
    assert np.array_equal(mended(made, tmp_path).read(5), before)


def test_colours_without_a_list_get_one_number_in_all_masks(folder: Make, tmp_path: Path) -> None:
    made = folder("semantic")
    colours = np.array([[0, 0, 0], [255, 0, 0]], np.uint8)
    before = {number: made.read(number) for number in range(8)}
    for number in range(8):
        made.write(number, colours[before[number]])
    assert [kind for kind, _ in made.problems()] == ["colours-as-classes"] * 8
    copy = mended(made, tmp_path)
    assert all(np.array_equal(copy.read(number), before[number]) for number in range(8))
    record = json.loads((copy.root / "fixes.json").read_text())
    assert record["files"]["masks/p0.png"]["changes"][0]["colours"] == {"#000000": 0, "#ff0000": 1}


def test_all_colours_of_the_list_are_understood(folder: Make) -> None:
    """A set that is in colours throughout, each of which the list names, is read as classes: worth a note, no problem."""
    made = folder("semantic")
    listed = [{"id": 0, "name": "ground", "color": [0, 0, 0]}, {"id": 1, "name": "cell", "color": [250, 0, 120]}]
    (made.root / "classes.json").write_text(json.dumps({"classes": listed}))
    for number in range(8):
        made.write(number, np.array([[0, 0, 0], [250, 0, 120]], np.uint8)[made.read(number)])
    checkup = made.check()
    assert checkup.problems == ()
    assert {note.kind for note in checkup.notes} == {"colours-as-classes"}
    assert [one.images for one in checkup.summary.classes] == [8, 8]


def test_gaps_are_closed_alike_in_all_masks(folder: Make, tmp_path: Path) -> None:
    made = folder("semantic")
    table = np.array([0, 3, 7], np.uint8)
    three = {number: np.where(blob := made.read(number), 1 + (np.indices(blob.shape)[1] > 64), 0).astype(np.uint8) for number in range(8)}
    for number in range(8):
        made.write(number, table[three[number]])
    kinds = made.problems()
    assert [kind for kind, _ in kinds] == ["gaps-in-ids"] * 8
    copy = mended(made, tmp_path)
    assert all(np.array_equal(copy.read(number), three[number]) for number in range(8))


def test_one_based(folder: Make, tmp_path: Path) -> None:
    made = folder("semantic")
    (made.root / "classes.json").write_text(json.dumps(["ground", "cell"]))
    before = made.read(1)
    file = made.write(1, before + 1)
    assert made.problems() == [("one-based-ids", file)]
    assert np.array_equal(mended(made, tmp_path).read(1), before)


def test_unknown_value_with_its_place(folder: Make) -> None:
    made = folder("semantic")
    (made.root / "classes.json").write_text(json.dumps(["ground", "cell"]))
    pixels = made.read(1)
    pixels[50:53, 70:73] = 9
    made.write(1, pixels)
    (problem,) = made.check().problems
    assert (problem.kind, problem.values, problem.places) == ("unknown-values", (9,), ((51, 71),))  # the one with 9 all around


def test_fractions(folder: Make, tmp_path: Path) -> None:
    made = folder("semantic")
    before = made.read(1)
    made.mask(1).unlink()
    tifffile.imwrite(made.mask(1).with_suffix(".tif"), (0.9 * before + 0.03).astype(np.float32))
    assert made.problems() == [("fractions", "masks/p1.tif")]
    copy = mended(made, tmp_path)
    assert np.array_equal(read_mask(copy.mask(1).with_suffix(".tif")).pixels, before)


def test_the_image_as_mask(folder: Make) -> None:
    made = folder("semantic")
    file = made.write(4, np.array(PIL.Image.open(made.image(4)).resize((64, 48)).resize((128, 96), PIL.Image.Resampling.BICUBIC)))
    assert ("intensities-as-labels", file) in made.problems()


def test_two_pieces_with_both_places(folder: Make, tmp_path: Path) -> None:
    made = folder("instance")
    pixels = made.read(6)
    pixels[pixels == 12] = 1
    file = made.write(6, pixels)
    (problem,) = made.check().problems
    assert (problem.kind, problem.file, problem.values) == ("object-in-pieces", file, (1,))
    assert sorted(place[0] > 48 for place in problem.places) == [False, True]  # one in the upper half, one in the lower
    assert len(np.unique(mended(made, tmp_path).read(6))) == 13


def test_strays_of_an_object_are_removed(folder: Make, tmp_path: Path) -> None:
    made = folder("instance")
    before = made.read(6)
    pixels = before.copy()
    pixels[0, 0:2] = 5
    made.write(6, pixels)
    assert [kind for kind, _ in made.problems()] == ["object-in-pieces"]
    assert np.array_equal(mended(made, tmp_path).read(6), before)


def test_speck_and_what_the_edge_cuts(folder: Make) -> None:
    made = folder("instance")
    pixels = made.read(6)
    pixels[48, 60], pixels[95, 127] = 70, 71
    made.write(6, pixels)
    (problem,) = made.check().problems
    assert (problem.kind, problem.values, problem.places) == ("specks", (70,), ((48, 60),))


def test_one_number_for_all(folder: Make, tmp_path: Path) -> None:
    made = folder("instance")
    file = made.write(0, (made.read(0) > 0).astype(np.uint8))
    assert made.problems() == [("one-number-for-all", file)]
    assert len(np.unique(mended(made, tmp_path).read(0))) == 13


def test_classes_taken_for_objects(folder: Make) -> None:
    made = folder("instance")
    for number in range(8):
        made.write(number, (made.read(number) % 4).astype(np.uint8))
    assert ("labels-look-like-classes", "") in made.problems()


def test_inverted(folder: Make, tmp_path: Path) -> None:
    made = folder("semantic")
    before = made.read(7)
    file = made.write(7, 1 - before)
    assert made.problems() == [("inverted-mask", file)]
    assert np.array_equal(mended(made, tmp_path).read(7), before)


def test_shifted(folder: Make) -> None:
    made = folder("instance")
    file = made.write(7, np.roll(made.read(7), (7, -5), (0, 1)))
    (problem,) = made.check().problems
    assert (problem.kind, problem.file, problem.values) == ("mask-shifted", file, (-7, 5))


def test_a_whole_set_shifted_is_told_once(folder: Make) -> None:
    made = folder("instance")
    for number in range(8):
        made.write(number, np.roll(made.read(number), (4, 0), (0, 1)))
    assert [(problem.kind, problem.values) for problem in made.check().problems] == [("all-masks-shifted", (-4, 0))]


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, lambda pixels: np.rot90(pixels, 2)], ids=["up", "side", "half"])
def test_turned(folder: Make, tmp_path: Path, turn: Callable[[np.ndarray], np.ndarray]) -> None:
    made = folder("instance")
    before = made.read(7)
    file = made.write(7, turn(before))
    assert made.problems() == [("mask-turned", file)]
    assert np.array_equal(mended(made, tmp_path).read(7), before)


def test_transposed(folder: Make, tmp_path: Path) -> None:
    made = folder("instance")
    before = made.read(7)
    file = made.write(7, np.transpose(before))
    (problem,) = made.check().problems
    assert (problem.kind, problem.file, problem.values) == ("mask-transposed", file, ((96, 128), (128, 96)))
    assert np.array_equal(mended(made, tmp_path).read(7), before)


def test_exchanged(folder: Make) -> None:
    made = folder("instance")
    one, two = made.read(2), made.read(5)
    made.write(2, two)
    made.write(5, one)
    found = {(problem.kind, problem.file, problem.others[0]) for problem in made.check().problems}
    assert found == {("mask-of-another-image", "masks/p2.png", "images/p5.png"), ("mask-of-another-image", "masks/p5.png", "images/p2.png")}


def test_sizes_with_the_factor(folder: Make) -> None:
    made = folder("instance")
    file = made.write(1, made.read(1)[::2, ::2])
    (problem,) = made.check().problems
    assert (problem.kind, problem.file) == ("sizes-differ", file)
    assert "factor of 2" in problem.message


def test_cut_off_and_empty_files(folder: Make) -> None:
    made = folder("instance")
    made.mask(1).write_bytes(made.mask(1).read_bytes()[:120])
    made.image(2).write_bytes(b"")
    made.mask(3).write_text("not a picture")
    assert set(made.problems()) == {
        ("cut-off-file", "masks/p1.png"),
        ("cut-off-file", "images/p2.png"),
        ("unreadable-file", "masks/p3.png"),
    }


def test_blank_image(folder: Make) -> None:
    made = folder("instance")
    PIL.Image.new("L", (128, 96), 7).save(made.image(3))
    assert made.problems() == [("blank-image", "images/p3.png")]


def test_the_same_picture_with_other_labels(folder: Make) -> None:
    made = folder("instance")
    shutil.copy(made.image(0), made.image(9))
    made.write(9, np.where(made.read(0) == 3, 0, made.read(0)).astype(np.uint8))
    kinds = {problem.kind: problem for problem in made.check().problems}
    assert set(kinds) == {"contradicting-labels", "duplicated-image"}
    assert set(kinds["contradicting-labels"].others) >= {"images/p0.png", "masks/p0.png", "masks/p9.png"}


def test_the_same_labels_under_two_pictures(folder: Make) -> None:
    made = folder("instance")
    file = made.write(4, made.read(1))
    assert ("duplicated-mask", file) in made.problems()


def test_image_of_another_kind(folder: Make) -> None:
    made = folder("instance")
    PIL.Image.open(made.image(3)).convert("RGB").save(made.image(3))
    assert made.problems() == [("image-kind-differs", "images/p3.png")]


def test_spacing(folder: Make) -> None:
    made = folder("instance")
    for number in range(8):
        density = 0.0254 / (1e-6 if number == 3 else 5e-7)
        PIL.Image.open(made.image(number)).save(made.image(number), dpi=(density, density))
    (problem,) = made.check().problems
    assert (problem.kind, problem.file) == ("spacing-differs", "images/p3.png")
    assert np.allclose(problem.values, [(1, 1), (0.5, 0.5)], rtol=1e-3)


def test_spacing_that_one_image_lacks(folder: Make) -> None:
    made = folder("instance")
    for number in range(7):
        PIL.Image.open(made.image(number)).save(made.image(number), dpi=(50800, 50800))
    assert made.problems() == [("spacing-missing", "images/p7.png")]


def test_empty_mask_is_a_note(folder: Make) -> None:
    made = folder("instance")
    file = made.write(2, np.zeros((96, 128), np.uint8))
    checkup = made.check()
    assert checkup.problems == ()
    assert [(note.kind, note.file) for note in checkup.notes] == [("empty-mask", file)]


def test_files_of_single_objects(tmp_path: Path, folder: Make) -> None:
    made = folder("instance")
    root = tmp_path / "one"
    for number in range(3):
        labels = made.read(number)
        (root / f"p{number}" / "images").mkdir(parents=True)
        (root / f"p{number}" / "masks").mkdir()
        shutil.copy(made.image(number), root / f"p{number}" / "images" / f"p{number}.png")
        for value in range(1, 13):
            PIL.Image.fromarray((255 * (labels == value)).astype(np.uint8)).save(root / f"p{number}" / "masks" / f"o{value:02}.png")
    assert Folder(root, "instance").problems() == []
    first = root / "p0" / "masks"
    wide = np.array(PIL.Image.open(first / "o01.png")) | np.array(PIL.Image.open(first / "o02.png"))
    PIL.Image.fromarray(wide).save(first / "o01.png")
    shutil.copy(root / "p1" / "masks" / "o05.png", root / "p1" / "masks" / "o99.png")
    PIL.Image.new("L", (128, 96)).save(root / "p2" / "masks" / "o99.png")
    found = set(Folder(root, "instance").problems())
    assert ("objects-overlap", "p0/masks/o01.png") in found
    assert ("object-twice", "p1/masks/o99.png") in found
    assert ("object-without-pixels", "p2/masks/o99.png") in found


def test_boxes_outside_and_without_area(tmp_path: Path, folder: Make) -> None:
    made = folder("instance")
    images = [{"id": n + 1, "file_name": f"p{n}.png", "width": 128, "height": 96} for n in range(3)]
    boxes = [(1, [10, 10, 20, 20]), (1, [120, 50, 30, 20]), (2, [40, 40, 1, 1]), (3, [5, 5, 9, 9]), (3, [5, 5, 9, 9])]
    marks = [
        {"id": n, "image_id": i, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for n, (i, box) in enumerate(boxes, 1)
    ]
    document = {"images": images, "annotations": marks, "categories": [{"id": 1, "name": "cell"}]}
    (tmp_path / "coco").mkdir()
    for n in range(3):
        shutil.copy(made.image(n), tmp_path / "coco" / f"p{n}.png")
    (tmp_path / "coco" / "marks.json").write_text(json.dumps(document))
    found = {(kind, file) for kind, file in Folder(tmp_path / "coco", "instance").problems()}
    assert found == {("object-outside", "p0.png"), ("object-without-area", "p1.png"), ("object-twice", "p2.png")}


def test_classes_that_training_lacks(tmp_path: Path, folder: Make) -> None:
    made = folder("semantic")
    for number in range(8):
        split = tmp_path / "split" / ("train" if number < 5 else "test")
        for name, path in (("images", made.image(number)), ("masks", made.mask(number))):
            (split / name).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, split / name / path.name)
    pixels = made.read(6)
    pixels[40:60, 20:40] = 2
    PIL.Image.fromarray(pixels).save(tmp_path / "split" / "test" / "masks" / "p6.png")
    problems = Folder(tmp_path / "split", "semantic").check().problems
    assert [(problem.kind, problem.values) for problem in problems] == [("class-missing-in-split", (2,))]


def test_the_data_stays_as_it_was_and_the_copy_is_whole(folder: Make, tmp_path: Path) -> None:
    made = folder("semantic")
    (made.root / "notes").mkdir()
    (made.root / "notes" / "readme.txt").write_text("by hand")
    made.write(2, 255 * made.read(2), ".jpg", quality=95)
    before = {path: path.read_bytes() for path in made.root.rglob("*") if path.is_file()}
    copy = mended(made, tmp_path)
    assert {path: path.read_bytes() for path in made.root.rglob("*") if path.is_file()} == before
    kept = {path.relative_to(made.root) for path in before} - {Path("masks/p2.jpg")}
    assert {path.relative_to(copy.root) for path in copy.root.rglob("*") if path.is_file()} == kept | {
        Path("masks/p2.png"),
        Path("fixes.json"),
    }
    assert all((copy.root / name).read_bytes() == before[made.root / name] for name in kept)


@pytest.mark.parametrize("place", ["data/mended", "full"])
def test_fix_refuses_the_data_folder_and_folders_in_use(folder: Make, tmp_path: Path, place: str) -> None:
    made = folder("semantic")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match=r"inside the data folder|not empty"):
        fix(made.check(), tmp_path / place)
    assert not (made.root / "mended").exists()


def test_volumes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(3):
        labels = np.zeros((12, 40, 50), np.uint8)
        labels[2:9, 5:20, 5 : 20 + number], labels[3:10, 22:36, 28:45] = 1, 2
        if number == 1:
            labels[11, 38, 2:8] = 2
        image = (50 + 100 * (labels > 0) + rng.integers(0, 20, labels.shape)).astype(np.uint8)
        for name, pixels in (("images", image), ("masks", labels)):
            (tmp_path / name).mkdir(exist_ok=True)
            tifffile.imwrite(tmp_path / name / f"v{number}.tif", pixels, imagej=True, metadata={"axes": "ZYX"})
    with collect_warnings():
        (problem,) = check(find_dataset(tmp_path, kind="instance")).problems
    assert (problem.kind, problem.file, problem.values) == ("object-in-pieces", "masks/v1.tif", (2,))
    assert (11, 38, 2) in problem.places
