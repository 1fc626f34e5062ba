"""Kaggle's run-length tables: exact both ways in both orders, sizes demanded, each fault named with its row."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import instance_map, objects_of, runs_of
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object, Objects
from microtome.core.outlines import Polygon
from microtome.core.raster import InstanceMap
from microtome.io.annotations import kaggle

law = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
labels = arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 1, 2, 3]))


def by_the_book(mask, order):
    """The competitions' definition, pixel by pixel."""
    flat = mask.ravel(order="F" if order == "columns" else "C")
    words, at = [], 0
    while at < len(flat):
        if flat[at]:
            length = 1
            while at + length < len(flat) and flat[at + length]:
                length += 1
            words += [at + 1, length]
            at += length
        at += 1
    return " ".join(map(str, words))


@pytest.fixture
def table(tmp_path):
    def save(text):
        (tmp_path / "t.csv").write_text(text)
        return tmp_path / "t.csv"

    return save


@pytest.mark.parametrize("order", ["columns", "rows"])
@given(first=labels, second=labels)
@law
def test_objects_survive_and_are_written_as_the_competitions_say(tmp_path, order, first, second):
    images = [objects_of(InstanceMap(pixels), image=name) for pixels, name in ((first, "a, b.png"), (second, "c.png"))]
    account = kaggle.write(tmp_path / "t.csv", images, order=order)
    assert account.objects == sum(map(len, images))
    back = kaggle.read(tmp_path / "t.csv", shapes={"a, b.png": first.shape, "c.png": second.shape}, order=order)
    renumbered = 0
    for one, same in zip(images, back, strict=True):
        assert (one.image, one.shape) == (same.image, same.shape)
        for n, (item, found) in enumerate(zip(one.items, same.items, strict=True), 1):
            np.testing.assert_array_equal(decode(item.runs), decode(found.runs))
            renumbered += item.number != n
            assert found.number == n
    assert account.lost == ({"object numbers": renumbered} if renumbered else {})
    written = [line.rsplit(",", 1)[1] for line in (tmp_path / "t.csv").read_text().splitlines()[1:]]
    expected = [by_the_book(decode(item.runs), order) for one in images for item in one.items]
    assert [line for line in written if line] == expected


@given(mask=arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.integers(0, 1)))
@law
def test_overlapping_objects_come_back_whole(tmp_path, mask):
    full = np.ones_like(mask)
    items = (Object(1, runs=encode(full)), *((Object(2, runs=encode(mask)),) if mask.any() else ()))
    assert kaggle.write(tmp_path / "t.csv", [Objects(mask.shape, items, "a.png")]).lost == {}
    (back,) = kaggle.read(tmp_path / "t.csv", shapes={"a.png": mask.shape})
    for item, found in zip(items, back.items, strict=True):
        np.testing.assert_array_equal(decode(item.runs), decode(found.runs))


@pytest.mark.parametrize(("text", "name"), [
    ("ImageId,EncodedPixels\nabc,3 3\n", "abc"),  # Data Science Bowl
    ("img,pixels\nabc,3 3\n", "abc"),  # nerve, submission
    ("subject,img,pixels\n1,7,3 3\n", "1_7"),  # nerve, training
    ("img,rle_mask\nabc.jpg,3 3\n", "abc.jpg"),  # Carvana
    ("\ufeffid,rle\r\nabc,3 3\r\n\r\n", "abc"),
])  # fmt: skip
def test_the_tables_of_competitions(table, text, name):
    path = table(text)
    assert kaggle.recognise(path)
    (found,) = kaggle.read(path, shapes={name if "." in name else f"{name}.tif": (2, 3)})
    assert decode(found.items[0].runs).astype(int).tolist() == [[0, 1, 1], [0, 1, 0]]
    assert found.image == (name if "." in name else f"{name}.tif")


def test_rows_of_one_image_need_not_be_neighbours_and_empty_ones_are_images(table):
    path = table("ImageId,EncodedPixels,ClassId\na,1 2,3\nb,,\na,5 2,4\n")
    first, second = kaggle.read(path, shapes={"a.png": (3, 3), "b.png": (3, 3)})
    assert [(one.number, one.class_name, one.runs.area) for one in first.items] == [(1, "3", 2), (2, "4", 2)]
    assert len(second) == 0


def test_carvana_counts_along_the_rows(table):
    """The first three runs of its training table: pieces of a car's roof, one above the other, if rows are 1918 pixels."""
    path = table("img,rle_mask\ncar.jpg,879386 40 881253 141 883140 205\n")
    mask = decode(kaggle.read(path, shapes={"car.jpg": (1280, 1918)}, order="rows")[0].items[0].runs)
    rows = np.flatnonzero(mask.any(axis=1))
    assert rows.tolist() == [458, 459, 460]
    spans = [(np.flatnonzero(mask[row]).min(), np.flatnonzero(mask[row]).max()) for row in rows]
    assert all(wide[0] < narrow[0] and narrow[1] < wide[1] for narrow, wide in itertools.pairwise(spans))
    assert max(abs(sum(span) / 2 - 961) for span in spans) <= 1
    other = decode(kaggle.read(path, shapes={"car.jpg": (1280, 1918)})[0].items[0].runs)
    assert np.ptp(np.flatnonzero(other.any(axis=1))) > 500


def test_runs_that_touch_are_one(table):
    (found,) = kaggle.read(table("img,pixels\na,1 2 3 2 6 1\n"), shapes={"a": (2, 3)})
    assert found.items[0].runs.counts.tolist() == [0, 4, 1, 1]


def test_what_a_table_cannot_hold_is_counted(tmp_path):
    triangle = Polygon(np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]]))
    items = (Object(1, given_box=(0, 0, 2, 2)), Object(2, (triangle,), class_name="cell", score=0.5, crowd=True),
             Object(3, runs=encode(np.zeros((4, 4)))))  # fmt: skip
    account = kaggle.write(tmp_path / "t.csv", [Objects((4, 4), items, "a.png")])
    assert account.objects == 1
    assert account.lost == {
        "boxes without an area": 1,
        "objects without a pixel": 1,
        "objects with edges off the pixels' or outside of the image, written as their pixels": 1,
        "classes": 1,
        "scores": 1,
        "crowd marks": 1,
        "object numbers": 1,
    }
    (back,) = kaggle.read(tmp_path / "t.csv", shapes={"a.png": (4, 4)})
    np.testing.assert_array_equal(decode(back.items[0].runs), decode(runs_of(items[1], (4, 4))))
    assert instance_map(back).pixels.sum() == 6
    for names in (("a", "a"), ("",)):
        with pytest.raises(InputError, match="rows are told apart"):
            kaggle.write(tmp_path / "t.csv", [Objects((4, 4), image=name) for name in names])


@pytest.mark.parametrize(("pixels", "words"), [
    ("1 2 5", "3 numbers are no pairs"),
    ("5 2 1 2", r"run 2 \(1 2\) starts before the run ahead of it \(5 2\)"),
    ("1 3 3 2", r"run 2 \(3 2\) overlaps the run ahead of it"),
    ("0 2", r"run 1 \(0 2\): starts count from 1"),
    ("1 0", "at least one pixel"),
    ("5 3", "reaches beyond the 6 pixels of an image of 2 x 3"),
    ("999999999999999999 999999999999999999", "reaches beyond"),
    ("99999999999999999999 1", "pairs of whole numbers"),
    ("1 -2", "found '-2'"),
    ("nan 2", "found 'nan'"),
    ("1 2,7", "3 values, the header names 2"),
])  # fmt: skip
def test_a_faulty_row_is_named_and_the_rest_is_read(table, pixels, words):
    path = table(f"img,pixels\na,1 2\na,{pixels}\na,3 2\n")
    with pytest.raises(InputError, match=rf"t\.csv: row 3 \(a\): .*{words}"):
        kaggle.read(path, shapes={"a": (2, 3)})
    with collect_warnings() as said:
        (found,) = kaggle.read(path, shapes={"a": (2, 3)}, skip_bad=True)
    assert len(found) == 2
    assert "row 3" in said[0]


def test_a_missing_size_says_what_to_pass(table):
    path = table("img,pixels\na,1 2\n")
    with pytest.raises(InputError, match=r"t\.csv: row 2 \(a\): the size of image 'a' .* pass shapes=\{'a': \(height, width\)\}"):
        kaggle.read(path)
    with pytest.raises(InputError, match="differ in size"):
        kaggle.read(path, shapes={"x/a.png": (2, 3), "y/a.png": (3, 2)})


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", 'img,pixels\n"a', "{}"])
def test_other_files_are_refused(table, text):
    path = table(text)
    assert kaggle.recognise(path) == text.startswith("img")
    with pytest.raises(InputError, match=r"t\.csv"):
        kaggle.read(path, shapes={"a": (2, 3)})


def test_a_mask_longer_than_the_csv_module_allows(table):
    words = " ".join(f"{2 * k + 1} 1" for k in range(30000))
    (found,) = kaggle.read(table(f"img,pixels\na,{words}\n"), shapes={"a": (300, 200)})
    assert found.items[0].runs.area == 30000
