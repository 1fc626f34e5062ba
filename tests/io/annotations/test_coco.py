"""COCO's JSON: equal to pycocotools where both read it, exact on the way out and back, and each fault named."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as peer
from pycocotools.coco import COCO

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import instance_map, objects_of, outlines_of, runs_of
from microtome.core.kernels.outlines import trace
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object, Objects, Runs
from microtome.core.outlines import Polygon
from microtome.core.raster import InstanceMap
from microtome.io.annotations import coco
from microtome.io.annotations.coco_rle import compress, expand

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools with NumPy 2
law = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
masks = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 1))
labels = arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 1, 2, 300]))
SQUARE = np.array([[2.0, 2.0], [2.0, 8.0], [8.0, 8.0], [8.0, 2.0]])
FLAT = [2, 2, 8, 2, 8, 8, 2, 8]


def document(*annotations, **other):
    return {
        "images": [{"id": 5, "file_name": "a.png", "height": 12, "width": 12}, {"id": 9, "file_name": "b.png", "height": 4, "width": 6}],
        "categories": [{"id": 3, "name": "cell"}, {"id": 90, "name": "debris"}],
        "annotations": list(annotations),
    } | other


def annotation(**other):
    return {"id": 17, "image_id": 5, "category_id": 3, "segmentation": [FLAT], "bbox": [2, 2, 6, 6], "area": 36, "iscrowd": 0} | other


@pytest.fixture
def saved(tmp_path):
    def save(content):
        path = tmp_path / "c.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return save


def equal(first, second):
    """Objects the same in every field but the box, which COCO always gives."""
    assert (first.shape, first.image) == (second.shape, second.image)
    assert [one.number for one in first.items] == [one.number for one in second.items]
    for a, b in zip(first.items, second.items, strict=True):
        assert (a.class_name, a.score, a.crowd, a.form) == (b.class_name, b.score, b.crowd, b.form)
        np.testing.assert_allclose(a.box, b.box, rtol=0 if a.given_box else 1e-15, atol=0 if a.given_box else 1e-14)
        assert len(a.polygons) == len(b.polygons)
        for mine, other in zip(a.polygons, b.polygons, strict=True):
            np.testing.assert_array_equal(mine.outer, other.outer)
        if a.runs is not None:
            np.testing.assert_array_equal(decode(a.runs), decode(b.runs))


# agreement with pycocotools


@given(mask=masks)
@law
def test_compressed_runs_are_those_of_pycocotools(mask):
    text = compress(encode(mask).counts)
    theirs = peer.encode(np.asfortranarray(mask))
    assert text == theirs["counts"].decode()
    np.testing.assert_array_equal(expand(text), encode(mask).counts)


@given(counts=st.lists(st.integers(0, 2**31), min_size=1, max_size=40))
@law
def test_any_counts_survive_the_string(counts):
    np.testing.assert_array_equal(expand(compress(np.array(counts))), counts)


@given(text=st.text(st.characters(codec="utf-8"), max_size=30))
@law
def test_a_string_that_is_none_never_breaks(text):
    with contextlib.suppress(InputError):
        assert (expand(text) >= 0).all()


@given(mask=masks.filter(np.any))
@law
def test_areas_boxes_and_masks_are_those_of_pycocotools(mask):
    theirs = peer.encode(np.asfortranarray(mask))
    runs = Runs(mask.shape, expand(theirs["counts"].decode()))
    top, left, bottom, right = runs.box
    assert runs.area == peer.area(theirs)
    assert [left, top, right - left, bottom - top] == peer.toBbox(theirs).tolist()
    np.testing.assert_array_equal(decode(runs), peer.decode(theirs))


@given(mask=masks.filter(np.any))
@law
def test_pycocotools_paints_polygons_along_pixel_edges_as_we_do(mask):
    polygons = [polygon.outer for polygon in trace(InstanceMap(mask)).objects[1]]
    theirs = peer.merge(peer.frPyObjects([ring[:, ::-1].ravel().tolist() for ring in polygons], *mask.shape))
    ours = runs_of(Object(1, tuple(Polygon(ring) for ring in polygons)), mask.shape)
    np.testing.assert_array_equal(peer.decode(theirs), decode(ours))


def test_slanted_polygons_differ_from_pycocotools_at_the_border_only():
    generator = np.random.default_rng(3)
    for _ in range(50):
        middle, ring = np.array([20.0, 20.0]), []
        for turn in np.sort(generator.uniform(0, 2 * np.pi, 9)):
            ring.append(middle + 15 * np.array([np.sin(turn), np.cos(turn)]))
        ring = np.array(ring)
        theirs = peer.decode(peer.merge(peer.frPyObjects([ring[:, ::-1].ravel().tolist()], 40, 40)))
        ours = decode(runs_of(Object(1, (Polygon(ring),)), (40, 40)))
        rows, columns = np.nonzero(theirs != ours)
        start, stop = ring, np.roll(ring, -1, axis=0)
        for point in np.stack([rows, columns], axis=1) + 0.5:
            along = np.clip(((point - start) * (stop - start)).sum(1) / ((stop - start) ** 2).sum(1), 0, 1)[:, None]
            assert np.sqrt(((start + along * (stop - start) - point) ** 2).sum(1)).min() < 1


@given(pixels=labels)
@law
def test_what_we_write_pycocotools_reads_to_the_pixel(tmp_path, pixels):
    objects = objects_of(InstanceMap(pixels), image="a.png")
    for form in (objects, polygons_in_place_of_runs(objects)):
        coco.write(tmp_path / "c.json", [form])
        with contextlib.redirect_stdout(io.StringIO()):
            theirs = COCO(tmp_path / "c.json")
        assert sorted(theirs.anns) == [one.number for one in objects.items]
        for item in objects.items:
            np.testing.assert_array_equal(theirs.annToMask(theirs.anns[item.number]), pixels == item.number)
            assert theirs.anns[item.number]["area"] == item.runs.area


def polygons_in_place_of_runs(objects):
    found = outlines_of(objects).objects
    items = tuple(Object(one.number, found[one.number], class_name=one.class_name) for one in objects.items)
    return Objects(objects.shape, items, objects.image, objects.classes)


def test_the_labelled_set_of_pedestrians(labelled_sets, tmp_path):
    from PIL import Image

    root = labelled_sets / "penn_fudan"
    path = root / "coco_val.json"
    values = {one["id"]: one["instance_value"] for one in json.loads(path.read_text())["annotations"]}
    images = coco.read(path)
    assert (len(images), sum(map(len, images))) == (21, 56)
    for one in images:
        mask = np.array(Image.open(root / "val" / "masks" / Path(one.image).with_suffix(".png").name))
        for item in one.items:
            np.testing.assert_array_equal(decode(item.runs), mask == values[item.number])
            assert item.box == item.runs.box
    assert coco.write(tmp_path / "c.json", images).lost == {}
    for one, back in zip(images, coco.read(tmp_path / "c.json"), strict=True):
        equal(one, back)


# there and back


@given(pixels=labels, polygons=st.booleans())
@law
def test_objects_with_holes_and_parts_survive(tmp_path, pixels, polygons):
    mask = InstanceMap(pixels, object_class={1: 1, 300: 1} if {1, 300} <= set(pixels.flat) else {}, classes=ClassTable.binary("Zelle"))
    objects = objects_of(mask, image="plate/a.png")
    account = coco.write(tmp_path / "c.json", [polygons_in_place_of_runs(objects) if polygons else objects])
    assert (account.objects, account.lost) == (len(mask), {})
    (back,) = coco.read(tmp_path / "c.json")
    np.testing.assert_array_equal(instance_map(back).pixels, pixels)
    assert [one.class_name for one in back.items] == [one.class_name for one in objects.items]


coordinates = st.floats(0, 50, allow_subnormal=False)
rings = arrays(np.float64, st.tuples(st.integers(3, 6), st.just(2)), elements=coordinates, unique=True)
items = st.builds(
    lambda corners, name, score, crowd: (corners, name, score, crowd),
    st.one_of(st.lists(rings, min_size=1, max_size=2), st.tuples(coordinates, coordinates, st.floats(1, 9), st.floats(1, 9))),
    st.sampled_from(["", "cell", "Zellkern", "細胞"]),
    st.none() | st.floats(0, 1),
    st.booleans(),
)


@given(found=st.lists(items, max_size=4), split=st.integers(0, 4))
@law
def test_overlapping_objects_survive_in_every_field(tmp_path, found, split):
    table = ClassTable((ClassEntry(7, "cell"), ClassEntry(2, "Zellkern", "stuff"), ClassEntry(40, "細胞")))
    made = []
    for n, (shape, name, score, crowd) in enumerate(found, 1):
        polygons = tuple(map(Polygon, shape)) if isinstance(shape, list) else ()
        box = (shape[0], shape[1], shape[0] + shape[2], shape[1] + shape[3]) if isinstance(shape, tuple) else None
        made.append(Object(n, polygons, None, box, name, score, crowd))
    second = [Object(n, one.polygons, None, one.given_box, one.class_name, one.score, one.crowd) for n, one in enumerate(made[split:], 1)]
    images = [Objects((60, 60), tuple(made[:split]), "a.png", table), Objects((60, 60), tuple(second), "b.png", table)]
    account = coco.write(tmp_path / "c.json", images)
    assert account.objects == len(made)
    lossless = not account.lost
    back = coco.read(tmp_path / "c.json")
    for one, same in zip(images, back, strict=True):
        assert [(e.value, e.name, e.role) for e in same.classes] == [(2, "Zellkern", "stuff"), (7, "cell", "thing"), (40, "細胞", "thing")]
        if lossless:
            equal(one, same)
        else:  # parts of random corners may meet in one of them by chance
            assert set(account.lost) <= {"objects with holes, with edges off the pixels' or outside of the image, written as their pixels",
                                         "boxes moved in their last digit"}  # fmt: skip


def test_holes_beside_slanted_edges_are_counted(tmp_path):
    triangle = Polygon(np.array([[0.0, 0.0], [0.0, 11.0], [11.0, 0.0]]), (np.array([[2.0, 2.0], [2.0, 4.0], [4.0, 4.0], [4.0, 2.0]]),))
    whole = Polygon(SQUARE, (SQUARE / 2 + 2,))
    account = coco.write(tmp_path / "c.json", [Objects((12, 12), (Object(1, (triangle,)), Object(2, (whole,))), "a.png")])
    assert account.lost == {"objects with holes, with edges off the pixels' or outside of the image, written as their pixels": 1}
    (back,) = coco.read(tmp_path / "c.json")
    assert [one.form for one in back.items] == ["runs", "runs"]
    np.testing.assert_array_equal(decode(back.items[0].runs), decode(runs_of(Object(1, (triangle,)), (12, 12))))
    assert back.items[1].runs.area == 36 - 9


def test_parts_that_meet_in_a_corner_are_one_mask_and_no_crowd(tmp_path):
    objects = polygons_in_place_of_runs(objects_of(InstanceMap(np.eye(3, dtype=int)), image="a.png"))
    assert len(objects.items[0].polygons) == 3
    assert coco.write(tmp_path / "c.json", [objects]).lost == {}
    (written,) = json.loads((tmp_path / "c.json").read_text())["annotations"]
    assert (written["iscrowd"], written["segmentation"]) == (
        0,
        {"size": [3, 3], "counts": compress(np.array([0, 1, 3, 1, 3, 1]))},
    )


def test_images_that_contradict_each_other_in_a_class_are_counted(tmp_path):
    images = [Objects((4, 4), (Object(1, given_box=(0, 0, 2, 2), class_name=name),), f"{name}.png") for name in ("b", "a")]
    account = coco.write(tmp_path / "c.json", images)
    assert account.lost == {"class values": 1}  # both were 1, the second name in the alphabet is now 2
    assert [[item.class_name for item in one.items] for one in coco.read(tmp_path / "c.json")] == [["b"], ["a"]]


def test_nothing_at_all_and_same_objects_same_bytes(tmp_path):
    path = tmp_path / "c.json"
    assert coco.write(path, []).objects == 0
    assert coco.read(path) == []
    coco.write(path, [Objects((5, 6), image="empty.png")])
    equal(Objects((5, 6), image="empty.png"), coco.read(path)[0])
    first = path.read_bytes()
    coco.write(path, [Objects((5, 6), image="empty.png")])
    assert path.read_bytes() == first
    with pytest.raises(InputError, match="not finite"):
        coco.write(path, [Objects((5, 6), (Object(1, given_box=(0, 0, float("nan"), 2)),), image="a.png")])
    assert path.read_bytes() == first


# what other programs write


def test_ids_and_categories_are_kept_though_they_are_not_dense(saved):
    runs = {"size": [4, 6], "counts": [0, 2, 22]}
    path = saved(document(annotation(), annotation(id=2, image_id=9, category_id=90, segmentation=runs, bbox=[0, 0, 1, 2], iscrowd=1)))
    first, second = coco.read(path)
    assert (first.image, first.items[0].number, first.items[0].class_name, first.items[0].box) == ("a.png", 17, "cell", (2, 2, 8, 8))
    assert (second.items[0].number, second.items[0].crowd, second.items[0].runs.area) == (2, True, 2)
    assert [(entry.value, entry.name) for entry in second.classes] == [(3, "cell"), (90, "debris")]


def test_compressed_and_plain_runs_are_the_same(saved):
    counts = [26, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 52]
    two = [annotation(id=k, segmentation={"size": [12, 12], "counts": one}) for k, one in ((1, counts), (2, compress(np.array(counts))))]
    first, second = coco.read(saved(document(*two)))[0].items
    np.testing.assert_array_equal(first.runs.counts, second.runs.counts)
    assert first.runs.box == (2, 2, 8, 8)


def test_a_list_of_results(saved):
    results = [{"image_id": 42, "category_id": 18, "segmentation": {"size": [4, 6], "counts": [0, 2, 22]}, "score": 0.5},
               {"image_id": 42, "category_id": 3, "segmentation": {"size": [4, 6], "counts": [2, 2, 20]}, "score": 0.25},
               {"image_id": 7, "category_id": 3, "bbox": [1, 1, 2.5, 3], "score": 0.125}]  # fmt: skip
    path = saved(results)
    assert coco.recognise(path)
    with collect_warnings() as said:
        first, second = coco.read(path, shapes={"7.jpg": (9, 9)})
    assert "results name no classes" in said[0]
    assert (first.image, first.shape, [(one.number, one.score, one.class_name) for one in first.items]) == (
        "42", (4, 6), [(1, 0.5, "class 18"), (2, 0.25, "class 3")])  # fmt: skip
    assert (second.image, second.shape, second.items[0].box) == ("7.jpg", (9, 9), (1, 1, 4, 3.5))


def test_sizes_come_from_shapes_where_the_file_has_none(saved):
    images = [{"id": 5, "file_name": "deep\\a.png"}]
    path = saved(document(annotation(), images=images))
    assert coco.read(path, shapes={"a.png": (30, 40)})[0].shape == (30, 40)
    with collect_warnings() as said:
        assert (found := coco.read(path)[0]).shape == (8, 8)
    assert found.image == "deep/a.png"
    assert "has no size in the file" in said[0]


def test_polygons_outside_of_the_image_are_told_and_cut_when_painted(saved):
    with collect_warnings() as said:
        (found, _) = coco.read(saved(document(annotation(segmentation=[[8, -4, 16, -4, 16, 4, 8, 4]], bbox=[8, -4, 8, 8]))))
    assert "1 of 1 objects reach beyond their image" in said[0]
    assert found.items[0].box == (-4, 8, 4, 16)
    assert runs_of(found.items[0], found.shape).area == 16


def test_what_is_left_out_is_told(saved):
    with collect_warnings() as said:
        coco.read(saved(document(annotation(keypoints=[1, 2, 2]))))
    assert "1 annotations have keypoints" in said[0]


def test_two_categories_of_one_name_of_which_one_is_unused(saved):
    twins = [{"id": 0, "name": "cell"}, {"id": 3, "name": "cell"}]
    with collect_warnings() as said:
        (found, _) = coco.read(saved(document(annotation(), categories=twins)))
    assert "0, which has no annotation, was left out" in said[0]
    assert [(entry.value, entry.name) for entry in found.classes] == [(3, "cell")]


def test_ids_beyond_32_bits_are_told(saved):
    with collect_warnings() as said:
        found = coco.read(saved(document(annotation(id=900100000000))))
    assert "its objects count from 1" in said[0]
    assert found[0].items[0].number == 1


def test_only_coco_is_recognised(tmp_path, saved):
    assert coco.recognise(saved(document()))
    for text in ('{"type": "FeatureCollection", "features": []}', '{"shapes": [], "imagePath": "a"}', "[", "", "[1, 2]", "<a/>"):
        assert not coco.recognise(saved(text))
    assert not coco.recognise(tmp_path / "none.json")
    assert not coco.recognise(tmp_path)


# faults

FAULTS = {
    "odd count": (annotation(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), "7 numbers are no pairs"),
    "two corners": (annotation(segmentation=[[1, 2, 3, 4]]), "2 corners enclose no area"),
    "no number": (annotation(segmentation=[[1, 2, 3, 4, 5, "x"]]), "corners must be pairs of numbers"),
    "NaN": (annotation(segmentation=[[1, 2, 3, 4, 5, float("nan")]]), "coordinates must be finite"),
    "infinite box": (annotation(bbox=[1, 2, float("inf"), 4]), "finite number"),
    "runs in a list": (annotation(segmentation=[{"size": [12, 12], "counts": [144]}]), r"segmentation\[0\] must be a list of numbers"),
    "unknown image": (annotation(image_id=6), "image_id 6 is no image of the file"),
    "unknown category": (annotation(category_id=4), r"category_id 4 is no category of the file \(3, 90\)"),
    "id twice": (annotation(id=1), "the id 1 is that of an annotation before"),
    "runs too short": (annotation(segmentation={"size": [12, 12], "counts": [0, 143]}), "cover 143 pixels, a mask of 12 x 12 has 144"),
    "runs of another image": (annotation(segmentation={"size": [6, 4], "counts": [24]}), "for 6 x 4 .* the image is 12 x 12"),
    "negative run": (annotation(segmentation={"size": [12, 12], "counts": [150, -6]}), "count 1 is -6"),
    "run of no number": (annotation(segmentation={"size": [12, 12], "counts": [150, 0.5]}), "count 1 is 0.5"),
    "string cut": (annotation(segmentation={"size": [12, 12], "counts": "j0V"}), "end inside a count"),
    "string of others": (annotation(segmentation={"size": [12, 12], "counts": "j0 z"}), "character 2 is b' '"),
    "string without end": (annotation(segmentation={"size": [12, 12], "counts": "o" * 40}), "longer than any image"),
    "no size": (annotation(segmentation={"counts": [144]}), "'size' is missing"),
    "no geometry": (annotation(segmentation=[], bbox=None), "neither a segmentation nor a bbox"),
    "empty box": (annotation(segmentation=[], bbox=[1, 1, 0, 3]), "no extent"),
    "inverted box": (annotation(bbox=[1, 1, -2, 3]), "negative width or height"),
    "crowd": (annotation(iscrowd=2), "'iscrowd' must be 0 or 1"),
    "score": (annotation(score="high"), "score must be a finite number"),
    "no object": ([1, 2], "expected an object with named fields"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_entry_is_named_and_the_rest_is_read(saved, name):
    entry, words = FAULTS[name]
    path = saved(document(annotation(id=1), entry, annotation(id=3)))
    with pytest.raises(InputError, match=rf"c\.json: annotations\[1\].*: .*{words}"):
        coco.read(path)
    with collect_warnings() as said:
        found = coco.read(path, skip_bad=True)
    assert [one.number for one in found[0].items] == [1, 3]
    assert sum("left out" in one and "annotations[1]" in one for one in said) == 1


@pytest.mark.parametrize(("other", "words"), [
    ({"images": [{"id": 5, "file_name": "a.png", "height": 12, "width": 12}] * 2}, r"images\[1\]: the id 5"),
    ({"images": [{"id": 5, "file_name": "a.png", "height": "tall", "width": 12}]}, r"images\[0\]: the image's size must be two"),
    ({"images": [{"id": 5, "height": 12, "width": 12}]}, r"images\[0\]: 'file_name' is missing"),
    ({"images": [{"id": 5, "file_name": "a.png", "height": -1, "width": 12}]}, r"images\[0\]: the image's size is -1 x 12"),
    ({"categories": [{"id": 3, "name": "a"}, {"id": 3, "name": "b"}]}, r"categories\[1\]: the id 3"),
    ({"categories": [{"id": 2**40, "name": "a"}]}, r"categories\[0\]: the id 1099511627776 does not fit"),
    ({"annotations": 7}, "'annotations' must be a list"),
    ({"images": None}, "not COCO"),
])  # fmt: skip
def test_a_faulty_table_is_named(saved, other, words):
    with pytest.raises(InputError, match=rf"c\.json: {words}"):
        coco.read(saved(document(annotation()) | other))


def test_a_file_cut_short_is_told_with_its_line(saved):
    text = json.dumps(document(annotation()), indent=1)
    for cut in (10, len(text) // 2, len(text) - 3):
        with pytest.raises(InputError, match=r"c\.json: line \d+, column \d+"):
            coco.read(saved(text[:cut]))


KEYS = ["images", "annotations", "categories", "id", "image_id", "category_id", "segmentation", "size", "counts", "bbox", "file_name",
        "name", "height", "width"]  # fmt: skip
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6))


@given(table=st.sampled_from(["images", "categories", "annotations"]), key=st.sampled_from(KEYS), tree=trees)
@law
def test_any_json_in_any_field_is_read_or_refused(tmp_path, table, key, tree):
    whole = document(annotation(), annotation(id=3))
    whole[table][0] |= {key: tree}
    for content in (whole, whole | {table: tree}, tree):
        (tmp_path / "c.json").write_text(json.dumps(content))
        with contextlib.suppress(InputError), collect_warnings():
            coco.read(tmp_path / "c.json", skip_bad=True)
