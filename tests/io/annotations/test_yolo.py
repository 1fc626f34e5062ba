"""YOLO's text files: fractions exact to the pixel, parts joined, holes counted as they are filled, each fault named with its line."""

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_fill_holes

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import objects_of, outlines_of, runs_of
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object, Objects
from microtome.core.outlines import Polygon
from microtome.core.raster import InstanceMap
from microtome.io.annotations import yolo

law = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
labels = arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 1, 2, 3]))
SQUARE = np.array([[2.0, 2.0], [2.0, 8.0], [8.0, 8.0], [8.0, 2.0]])
SHAPES = {"a.png": (10, 20)}


@pytest.fixture
def saved(tmp_path):
    def save(text, names="cell\ndebris\n", name="a.txt"):
        (tmp_path / name).write_text(text)
        if names:
            (tmp_path / "classes.txt").write_text(names)
        return tmp_path

    return save


def filled(mask):
    """Each part with its own holes filled; parts hang together by their sides."""
    return binary_fill_holes(mask)


# there and back


@given(pixels=labels, polygons=st.booleans())
@law
def test_label_maps_survive_but_for_their_holes_which_are_counted(tmp_path, pixels, polygons):
    objects = objects_of(InstanceMap(pixels), image="a.png")
    found = outlines_of(objects).objects
    holes = {number: sum(len(one.holes) for one in found[number]) for number in found}
    given_items = tuple(Object(one.number, found[one.number]) if polygons else one for one in objects.items)
    account = yolo.write(tmp_path, [Objects(objects.shape, given_items, "a.png")])
    (back,) = yolo.read(tmp_path, shapes={"a.png": pixels.shape})
    gained = 0
    for item, same in zip(objects.items, back.items, strict=True):
        before, after = decode(item.runs), decode(runs_of(same, pixels.shape))
        assert len(same.polygons) == 1
        assert not same.polygons[0].holes
        if not holes[item.number]:
            np.testing.assert_array_equal(before, after)
        # side by side, a part's own holes are what a flood from outside over corners too does not reach
        assert (after & before == before).all()
        assert (after <= filled(before)).all()
        gained += int(after.sum() - before.sum())
    assert account.lost.get("holes filled in", 0) == sum(holes.values())
    assert account.lost.get("pixels gained by filled holes", 0) == gained
    assert set(account.lost) <= {"holes filled in", "pixels gained by filled holes", "objects without a class", "object numbers"}


@given(width=st.integers(1, 70000), height=st.integers(1, 70000), data=st.data())
@law
def test_corners_come_back_to_the_last_bit(tmp_path, width, height, data):
    xs = data.draw(st.lists(st.integers(0, width) | st.floats(0, width), min_size=3, max_size=6))
    ys = data.draw(st.lists(st.integers(0, height) | st.floats(0, height), min_size=len(xs), max_size=len(xs)))
    corners = np.array([ys, xs], np.float64).T
    if (corners[0] == corners[-1]).all():
        corners = corners[:-1]
    if len(corners) < 3:
        return
    yolo.write(tmp_path, [Objects((height, width), (Object(1, (Polygon(corners),), class_name="cell"),), "a.png")])
    (back,) = yolo.read(tmp_path, shapes={"a.png": (height, width)})
    np.testing.assert_array_equal(back.items[0].polygons[0].outer, corners)


@pytest.mark.parametrize("width", [3, 7, 49, 103, 640, 1918, 4099])
def test_every_whole_pixel_comes_back(tmp_path, width):
    """1/49 * 49 is not 1 in floats: the decimals are what counts."""
    for x in range(width):
        ring = np.array([[0.0, x], [0.0, x + 1.0], [1.0, x]])
        assert yolo._pixels(yolo._fraction(yolo.Decimal(x), width), width) == x
    yolo.write(tmp_path, [Objects((1, width), (Object(1, (Polygon(ring),), class_name="cell"),), "a.png")])
    (back,) = yolo.read(tmp_path, shapes={"a.png": (1, width)})
    np.testing.assert_array_equal(back.items[0].polygons[0].outer, ring)


sides = st.integers(0, 30)


@given(found=st.lists(st.tuples(sides, sides, st.integers(1, 9), st.integers(1, 9), st.sampled_from(["cell", "b c"])), max_size=5))
@law
def test_whole_boxes_survive(tmp_path, found):
    items = tuple(Object(n, given_box=(y, x, y + h, x + w), class_name=name) for n, (y, x, h, w, name) in enumerate(found, 1))
    objects = Objects((41, 47), items, "a.png")
    assert yolo.write(tmp_path, [objects]).lost == {}
    (back,) = yolo.read(tmp_path, shapes={"a.png": (41, 47)})
    assert list(back.classes) == list(objects.classes)
    assert [(one.number, one.box, one.class_name) for one in back.items] == [(one.number, one.box, one.class_name) for one in items]


def test_holes_are_counted_in_objects_and_pixels(tmp_path):
    ring = np.zeros((12, 12), int)
    ring[1:11, 1:11] = 1
    ring[3:5, 3:5] = ring[7:9, 6:9] = 0
    account = yolo.write(tmp_path, [objects_of(InstanceMap(ring), image="a.png")])
    assert account.lost == {"holes filled in": 2, "pixels gained by filled holes": 10, "objects without a class": 1}


def test_parts_in_each_other_are_filled_and_overlapping_ones_united(tmp_path):
    nest = np.ones((9, 9), int)
    nest[1:8, 1:8] = 0
    nest[3:6, 3:6] = 1
    two = (Polygon(SQUARE), Polygon(SQUARE + 1.5))
    items = (*objects_of(InstanceMap(nest)).items, Object(2, two))
    account = yolo.write(tmp_path, [Objects((9, 9), items[:1], "a.png"), Objects((12, 12), items[1:], "b.png")])
    assert account.lost["pixels gained by filled holes"] == 49 - 9
    assert account.lost["objects cut, or of parts in each other, written as their pixels"] == 1
    first, second = yolo.read(tmp_path, shapes={"a.png": (9, 9), "b.png": (12, 12)})
    assert decode(runs_of(first.items[0], (9, 9))).all()
    np.testing.assert_array_equal(decode(runs_of(second.items[0], (12, 12))), decode(runs_of(items[1], (12, 12))))


def test_joined_parts_are_the_same_pixels_in_opencv_but_for_its_border(tmp_path):
    """OpenCV draws the border of what it fills one pixel wide, bridges too; off the border it finds the same."""
    pixels = np.zeros((60, 60), np.int32)
    pixels[5:25, 5:25] = pixels[35:55, 30:55] = 1
    yolo.write(tmp_path, [objects_of(InstanceMap(pixels), image="a.png")])
    words = (tmp_path / "a.txt").read_text().split()[1:]
    ring = (np.array(words, float).reshape(-1, 2) * 60).round().astype(np.int32)
    theirs = np.zeros((60, 60), np.uint8)
    cv2.fillPoly(theirs, [ring], 1)
    line = np.zeros((60, 60), np.uint8)
    cv2.polylines(line, [ring], True, 1)
    np.testing.assert_array_equal(theirs[line == 0], pixels[line == 0])


def test_what_lies_outside_is_cut_and_counted(tmp_path):
    items = (Object(1, (Polygon(SQUARE - 4),)), Object(2, (Polygon(SQUARE - 20),)), Object(3, given_box=(-1, 2, 3, 5)),
             Object(4, given_box=(-5, 0, 0, 3)), Object(5, runs=encode(np.zeros((9, 9)))))  # fmt: skip
    account = yolo.write(tmp_path, [Objects((9, 9), items, "a.png")])
    assert account.objects == 2
    assert account.lost == {
        "objects cut, or of parts in each other, written as their pixels": 1,
        "objects without a pixel in the image": 2,
        "boxes cut at the image's edge": 1,
        "boxes without a pixel in the image": 1,
        "objects without a class": 2,
        "object numbers": 1,
    }
    (back,) = yolo.read(tmp_path, shapes={"a.png": (9, 9)})
    assert [one.box for one in back.items] == [(0, 0, 4, 4), (0, 2, 3, 5)]


def test_scores_crowds_and_class_values_are_counted_and_bytes_are_the_same(tmp_path):
    table = ClassTable((ClassEntry(7, "late"), ClassEntry(2, "early")))
    objects = Objects((9, 9), (Object(1, (Polygon(SQUARE),), class_name="late", score=0.5, crowd=True),), "a.png", table)
    account = yolo.write(tmp_path, [objects, Objects((4, 4), image="b.png")])
    assert account.lost == {"class values": 2, "scores": 1, "crowd marks": 1}
    assert (tmp_path / "classes.txt").read_text() == "early\nlate\n"
    assert (tmp_path / "b.txt").read_text() == ""
    before = (tmp_path / "a.txt").read_bytes()
    assert before.startswith(b"1 0.2222")
    yolo.write(tmp_path, [objects])
    assert (tmp_path / "a.txt").read_bytes() == before
    with pytest.raises(InputError, match="share its file"):
        yolo.write(tmp_path, [Objects((4, 4), image="classes.png")])
    with pytest.raises(InputError, match="does not fit on a line"):
        yolo.write(tmp_path, [Objects((4, 4), (Object(1, given_box=(0, 0, 1, 1), class_name="a\nb"),), "a.png")])


# what other programs write


def test_boxes_polygons_and_scores_in_one_file(saved):
    path = saved("0 0.5 0.5 0.5 0.4\n\n1 0.1 0.1 0.4 0.1 0.4 0.6\n0 0.5 0.5 0.5 0.4 0.75\n1 0.1 0.1 0.4 0.1 0.4 0.6 0.25\n")
    (found,) = yolo.read(path, shapes=SHAPES)
    assert [(one.form, one.class_name, one.score) for one in found.items] == [
        ("box", "cell", None), ("polygons", "debris", None), ("box", "cell", 0.75), ("polygons", "debris", 0.25)]  # fmt: skip
    assert found.items[0].box == (3, 5, 7, 15)
    assert found.items[1].polygons[0].outer.tolist() == [[1, 2], [1, 8], [6, 8]]
    assert [(entry.value, entry.name) for entry in found.classes] == [(1, "cell"), (2, "debris")]


def test_a_data_set_of_ultralytics(tmp_path):
    from PIL import Image

    for folder in ("images/train", "labels/train"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "data.yaml").write_text("train: images/train\nnames:\n  0: cell\n  2: debris\n")
    (tmp_path / "README.txt").write_text("not labels")
    Image.new("L", (20, 10)).save(tmp_path / "images/train/well.01.png")
    rotated = Image.Exif()
    rotated[0x0112] = 6
    Image.new("L", (20, 10)).save(tmp_path / "images/train/b.jpg", exif=rotated)
    (tmp_path / "labels/train/well.01.txt").write_text("2 0.5 0.5 0.5 0.4\n")
    (tmp_path / "labels/train/b.txt").write_text("")
    second, first = yolo.read(tmp_path)
    assert (first.image, first.shape, first.items[0].class_name) == ("train/well.01.png", (10, 20), "debris")
    assert (second.image, second.shape, len(second)) == ("train/b.jpg", (20, 10), 0)
    assert [entry.name for entry in first.classes] == ["cell", "class 1", "debris"]
    assert yolo.recognise(tmp_path)


def test_without_names_classes_are_called_by_their_number(saved):
    path = saved("2 0.5 0.5 0.5 0.4\n", names="")
    with collect_warnings() as said:
        (found,) = yolo.read(path, shapes=SHAPES)
    assert "'class 0' to 'class 2'" in said[0]
    assert found.items[0].class_name == "class 2"
    assert [entry.value for entry in found.classes] == [1, 2, 3]


@pytest.mark.parametrize(("line", "words"), [
    ("0 0.5 0.5 0.5", "3 numbers after the class"),
    ("0 0.5 0.5 0.5 1.2", "1.2 is not from 0 to 1"),
    ("0 -0.1 0.5 0.5 0.2", "-0.1 is not from 0 to 1"),
    ("0 0.5 nan 0.5 0.2", "must be a finite number, found 'nan'"),
    ("0 0.5 half 0.5 0.2", "must be a finite number, found 'half'"),
    ("0 0.5 0.5 0 0.2", "no extent"),
    ("2 0.5 0.5 0.5 0.2", "class 2 has no name"),
    ("cell 0.5 0.5 0.5 0.2", "the class must be a finite number"),
    ("-1 0.5 0.5 0.5 0.2", "a whole number from 0"),
    ("0 0.1 0.1 0.4 0.1 0.1 0.1", "2 corners enclose no area"),
])  # fmt: skip
def test_a_faulty_line_is_named_and_the_rest_is_read(saved, line, words):
    path = saved(f"0 0.5 0.5 0.5 0.4\n{line}\n1 0.5 0.5 0.5 0.4\n")
    with pytest.raises(InputError, match=rf"a\.txt: line 2: .*{words}"):
        yolo.read(path, shapes=SHAPES)
    with collect_warnings() as said:
        (found,) = yolo.read(path, shapes=SHAPES, skip_bad=True)
    assert [(one.number, one.class_name) for one in found.items] == [(1, "cell"), (2, "debris")]
    assert "line 2" in said[0]


def test_a_missing_size_says_what_to_pass(saved):
    path = saved("0 0.5 0.5 0.5 0.4\n")
    saved("0 0.5 0.5 0.5 0.4\n", name="b.txt")
    with pytest.raises(InputError, match=r"b\.txt: its image: the size of image 'b' .* pass shapes=\{'b': \(height, width\)\}"):
        yolo.read(path, shapes=SHAPES)
    with collect_warnings():
        assert [one.image for one in yolo.read(path, shapes=SHAPES, skip_bad=True)] == ["a.png"]


@pytest.mark.parametrize(("name", "text", "words"), [
    ("data.yaml", "names: 7", "expected `names`"),
    ("data.yaml", "names: {a: b}", "expected `names`"),
    ("data.yaml", "names: [a", "not YAML"),
    ("data.yaml", "!!python/object/apply:os.system [echo]", "not YAML"),
    ("data.yaml", "names: {99999999999: a}", "expected `names`"),
    ("classes.txt", "a\na\n", "two classes are named 'a'"),
])  # fmt: skip
def test_a_faulty_list_of_classes_is_named(saved, name, text, words):
    path = saved("0 0.5 0.5 0.5 0.4\n", names="")
    (path / name).write_text(text)
    with pytest.raises(InputError, match=rf"{name}: .*{words}"):
        yolo.read(path, shapes=SHAPES)


def test_only_labels_are_recognised(saved, tmp_path):
    path = saved("0 0.5 0.5 0.5 0.4\n")
    assert yolo.recognise(path)
    assert yolo.recognise(path / "a.txt")
    for text in ("", "hello world again and again", "0 5 5 5 5", "0 0.1", "{}", "0 0.5 0.5 nan 0.4"):
        assert not yolo.recognise(saved(text))
    assert not yolo.recognise(tmp_path / "none")
