"""Pascal VOC's XML: pixels count from 1 and both edges belong to the box; what boxes cannot hold is counted."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import objects_of
from microtome.core.objects import Object, Objects
from microtome.core.raster import InstanceMap
from microtome.io.annotations import voc

law = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
names = st.sampled_from(["cell", "a & b < c", "細胞", ""])
sides = st.integers(0, 30)


def xml(*objects, size="<size><width>12</width><height>10</height><depth>3</depth></size>", name="a.png"):
    return f"<annotation><filename>{name}</filename>{size}{''.join(objects)}</annotation>"


def thing(edges="1 2 5 6", more="", name="<name>cell</name>"):
    left, top, right, bottom = edges.split()
    box = f"<bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox>"
    return f"<object>{name}{more}{box}</object>"


@pytest.fixture
def saved(tmp_path):
    def save(text, name="a.xml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return save


@given(found=st.lists(st.tuples(sides, sides, st.integers(1, 9), st.integers(1, 9), names), max_size=5))
@law
def test_whole_boxes_survive(tmp_path, found):
    items = tuple(Object(n, given_box=(y, x, y + h, x + w), class_name=name) for n, (y, x, h, w, name) in enumerate(found, 1))
    objects = Objects((40, 40), items, "plate/a.png")
    assert voc.write(tmp_path / "v", [objects]).lost == {}
    with collect_warnings() as said:
        (back,) = voc.read(tmp_path / "v")
    assert len(said) == sum(h == w == 1 for _, _, h, w, _ in found)
    assert (back.shape, back.image, list(back.classes)) == ((40, 40), "plate/a.png", list(objects.classes))
    assert [(one.number, one.box, one.class_name) for one in back.items] == [(one.number, one.box, one.class_name) for one in items]


@given(pixels=arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 1, 2, 300])))
@law
def test_areas_become_their_boxes_and_are_counted(tmp_path, pixels):
    objects = objects_of(InstanceMap(pixels), image="a.png")
    account = voc.write(tmp_path / "a.xml", [objects])
    assert account.objects == len(objects)
    assert account.lost.get("areas (only the boxes are written)", 0) == len(objects)
    assert account.lost.get("object numbers", 0) == sum(item.number != n for n, item in enumerate(objects.items, 1))
    with collect_warnings():
        (back,) = voc.read(tmp_path / "a.xml")
    for item, found in zip(objects.items, back.items, strict=True):
        rows, columns = np.nonzero(pixels == item.number)
        assert found.box == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)


def test_fractions_are_rounded_outwards_and_counted(tmp_path):
    table = ClassTable((ClassEntry(4, "cell"), ClassEntry(9, "debris")))
    items = (Object(2, given_box=(0.5, 1.25, 2.75, 3.0), class_name="cell", score=0.5, crowd=True), Object(1, given_box=(1, 1, 1, 2)))
    account = voc.write(tmp_path, [Objects((10, 10), items, "a.png", table)])
    assert account.objects == 1
    assert account.lost == {"boxes rounded outwards": 1, "scores": 1, "crowd marks": 1, "object numbers": 1, "objects without a pixel": 1,
                            "classes without an object": 1, "class values": 1}  # fmt: skip
    assert voc.read(tmp_path)[0].items[0].box == (0, 1, 3, 3)


def test_one_file_an_image_named_by_it_and_never_outside_of_the_folder(tmp_path):
    images = [Objects((4, 4), image="../../b.png"), Objects((4, 4), image="deep/a.tif")]
    voc.write(tmp_path / "v", images)
    assert sorted(path.name for path in tmp_path.rglob("*.xml")) == ["a.xml", "b.xml"]
    assert [one.image for one in voc.read(tmp_path / "v")] == ["../../b.png", "deep/a.tif"]
    before = (tmp_path / "v" / "deep" / "a.xml").read_bytes()
    voc.write(tmp_path / "v", images)
    assert (tmp_path / "v" / "deep" / "a.xml").read_bytes() == before
    with pytest.raises(InputError, match="each needs its own file"):
        voc.write(tmp_path / "w", [Objects((4, 4), image="a.png")] * 2)
    with pytest.raises(InputError, match="holds one image, found 2"):
        voc.write(tmp_path / "one.xml", images)
    with pytest.raises(InputError, match=r"'\\x00', which XML cannot"):
        voc.write(tmp_path / "w", [Objects((4, 4), (Object(1, given_box=(0, 0, 1, 1), class_name="a\0"),), "a.png")])
    assert not (tmp_path / "w").exists()


def test_pixels_count_from_one_with_both_edges(saved):
    (found,) = voc.read(saved(xml(thing("3 2 8 7"))))
    assert found.items[0].box == (1, 2, 7, 8)
    assert found.shape == (10, 12)


def test_marks_parts_and_odd_boxes_are_told_once(saved):
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>"
    path = saved(xml(thing(more="<difficult>1</difficult><truncated>1</truncated>"), thing(more="<truncated>1</truncated>" + part),
                     thing("0 0 5 5"), thing("5 5 13 6"), thing("4 4 4 4")))  # fmt: skip
    with collect_warnings() as said:
        (found,) = voc.read(path)
    assert len(found) == 5
    assert "object[4]: its box is a single pixel, from 4, 4" in said[0]
    assert "(2 truncated, 1 difficult)" in said[1] or "(1 difficult, 2 truncated)" in said[1]
    assert "1 parts" in said[2]
    assert "1 boxes begin at 0" in said[3]
    assert "2 of 5 objects reach beyond" in said[4]


@pytest.mark.parametrize("size", ["", "<size><width>0</width><height>0</height></size>", "<size/>"])
def test_a_size_of_nothing_is_taken_from_shapes_or_the_boxes(saved, size):
    path = saved(xml(thing("1 2 5 6"), size=size))
    assert voc.read(path, shapes={"a.png": (30, 40)})[0].shape == (30, 40)
    with collect_warnings() as said:
        assert voc.read(path)[0].shape == (6, 5)
    assert "gives no size" in said[0]


@pytest.mark.parametrize(("entry", "words"), [
    (thing("5 2 4 6"), "no extent: from 5, 2 to 4, 6"),
    (thing("5 2 7 1"), "no extent"),
    (thing("1 nan 2 3"), "ymin must be a finite number, found 'nan'"),
    (thing("1 x 2 3"), "ymin must be a finite number, found 'x'"),
    (thing(name=""), "has no <name>"),
    ("<object><name>cell</name></object>", "has no <bndbox>"),
    ("<object><name>cell</name><bndbox><xmin>1</xmin></bndbox></object>", "ymin must be a finite number, found ''"),
])  # fmt: skip
def test_a_faulty_object_is_named_and_the_rest_is_read(saved, entry, words):
    path = saved(xml(thing(), entry, thing("2 2 3 3")))
    with pytest.raises(InputError, match=rf"a\.xml: object\[1\]: .*{words}"):
        voc.read(path)
    with collect_warnings() as said:
        (found,) = voc.read(path, skip_bad=True)
    assert [one.number for one in found.items] == [1, 2]
    assert "object[1]" in said[0]


@pytest.mark.parametrize(("text", "words"), [
    ('<!DOCTYPE a [<!ENTITY x "y">]><annotation>&x;</annotation>', "declares a document type"),
    ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>', "declares a document type"),
    ("<annotation><object>", "cut short"),
    ("<annotations/>", "expected the element <annotation>"),
    (xml(size="<size><width>-3</width><height>5</height></size>"), "the image's size is 5 x -3"),
    (xml(size="<size><width>3</width><height>tall</height></size>"), "the image's size must be two whole numbers"),
])  # fmt: skip
def test_a_faulty_file_is_named_and_the_others_are_read(saved, tmp_path, text, words):
    saved(text, "b.xml")
    saved(xml(thing()))
    with pytest.raises(InputError, match=rf"b\.xml: .*{words}"):
        voc.read(tmp_path)
    with collect_warnings() as said:
        found = voc.read(tmp_path, skip_bad=True)
    assert [one.image for one in found] == ["a.png"]
    assert said[0].count("b.xml") == 1


def test_only_voc_is_recognised(saved, tmp_path):
    assert voc.recognise(saved(xml()))
    saved("<annotations/>", "0.xml")
    assert voc.recognise(tmp_path)
    for text in ("", "<annotation><object><polygon/></object></annotation>", "<annotations/>", "{}", "<annotation"):
        assert not voc.recognise(saved(text))
    assert not voc.recognise(tmp_path / "none")
    with pytest.raises(InputError, match="cannot be read"):
        voc.read(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no \.xml file"):
        voc.read(tmp_path / "empty")


def test_the_labelled_set_of_blood_cells(labelled_sets, tmp_path):
    from microtome.io.annotations import coco

    root = labelled_sets / "bccd"
    with collect_warnings() as said:
        images = voc.read(root / "annotations_voc")
    assert len(images) == 364
    assert sorted(one.split("/")[-1].split(": its")[0] for one in said[:-1]) == ["BloodImage_00338.xml: object[12]",
                                                                                "BloodImage_00343.xml: object[3]"]  # fmt: skip
    assert "1131 truncated" in said[-1]
    boxes = {one.image: {(item.class_name, item.box) for item in one.items} for one in images}
    # the COCO files of the same set leave the two boxes of a single pixel out, and begin at xmin instead of xmin - 1
    for split in ("train", "val", "test"):
        for one in coco.read(root / f"coco_{split}.json"):
            kept = {(name, box) for name, box in boxes[one.image] if (box[2] - box[0], box[3] - box[1]) != (1, 1)}
            assert {(item.class_name, (item.box[0] - 1, item.box[1] - 1, *item.box[2:])) for item in one.items} == kept
    assert voc.write(tmp_path, images).lost == {}
    with collect_warnings():
        again = voc.read(tmp_path)
    assert {one.image: {(item.class_name, item.box) for item in one.items} for one in again} == boxes
