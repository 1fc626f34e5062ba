"""Objects survive every annotation format, or the account says what was lost and by how much."""

import io
import json
import zipfile
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import roifile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import microtome.io.annotations as formats
from microtome.core.classes import ClassTable
from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import outlines_of, polygons_of, runs_of
from microtome.core.kernels.outlines import fill, trace
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object, Objects, class_table
from microtome.core.outlines import Outlines, Polygon
from microtome.core.raster import InstanceMap
from microtome.io.annotations import geojson, imagej

FORMATS = {"cells.zip": imagej, "cells.geojson": geojson}
law = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
labels = arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 1, 2, 300]))
SQUARE = np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 0.0]])

# Every format


@st.composite
def some_images(draw):
    """One or two images of objects with holes, in several parts, touching, overlapping, one pixel wide."""
    images = []
    for name in ("plate A.png", "plate B.tif")[: draw(st.integers(1, 2))]:
        shape = draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
        masks = draw(st.lists(arrays(bool, shape).filter(np.any), max_size=4))
        numbers = draw(st.lists(st.integers(1, 70000), min_size=len(masks), max_size=len(masks), unique=True))
        items = []
        for number, mask in zip(numbers, masks, strict=True):
            about = {"class_name": draw(st.sampled_from(["", "rote Zelle", "wbc"])), "score": draw(st.sampled_from([None, 0.25, 1.0])),
                     "crowd": draw(st.sampled_from([False, False, False, True]))}  # fmt: skip
            item = Object(number, runs=encode(mask), **about)
            items.append(item if draw(st.booleans()) else replace(item, runs=None, polygons=polygons_of(item)))
        images.append(Objects(shape, tuple(items), name, class_table(["rote Zelle", "wbc"])))
    return images


ONE_FILE = {"coco": "all.json", "via": "all.json", "cvat": "all.xml", "kaggle": "all.csv"}
ALL_PAIRS = [name for name in formats.FORMATS if name != "masks"]
CLASS_LOSSES = ("classes", "objects without a class")


def area(item, shape):
    return decode(runs_of(item, shape))


@pytest.mark.parametrize("name", ALL_PAIRS)
@given(images=some_images())
@law
def test_what_comes_back_differs_by_what_the_account_says(tmp_path_factory, name, images):
    path = tmp_path_factory.mktemp(name) / ONE_FILE.get(name, "folder")
    account = formats.write(path, images, format=name)
    with collect_warnings():
        back = formats.read(path, format=name, shapes={one.image: one.shape for one in images})
    assert [one.shape for one in back] == [one.shape for one in images]
    pairs = [(a, b, one.shape) for one, again in zip(images, back, strict=True) for a, b in zip(one.items, again.items, strict=True)]
    assert account.objects == len(pairs)
    differ = Counter()
    for a, b, shape in pairs:
        before, after = area(a, shape), area(b, shape)
        differ["pixels gained"] += np.count_nonzero(after & ~before)
        differ["pixels lost"] += np.count_nonzero(before & ~after)
        differ["boxes"] += a.box != b.box
        differ["holes"] += sum(len(polygon.holes) for polygon in polygons_of(a))
        differ["classes"] += a.class_name != b.class_name
        differ["scores"] += a.score != b.score
        differ["crowd marks"] += a.crowd != b.crowd
        differ["object numbers"] += a.number != b.number
    lost = account.lost
    assert differ["boxes"] == 0
    assert differ["scores"] == lost.get("scores", 0)
    assert differ["crowd marks"] == lost.get("crowd marks", 0)
    assert differ["object numbers"] == lost.get("object numbers", 0)
    assert differ["classes"] == sum(lost.get(words, 0) for words in CLASS_LOSSES)
    if name == "voc":
        assert lost.get("areas (only the boxes are written)", 0) == len(pairs)
        return
    assert differ["pixels lost"] == 0
    assert differ["pixels gained"] == lost.get("pixels gained by filled holes", 0)
    assert lost.get("holes filled in", 0) == (differ["holes"] if name in ("via", "yolo") else 0)


@st.composite
def odd_objects(draw):
    """An object of any form, within the image or beyond it, whose numbers have many digits."""
    number = st.one_of(st.integers(-3, 20), st.floats(-3, 20, allow_subnormal=False))
    about = {"class_name": draw(st.sampled_from(["", "cell", "object", " a", "b  c"])), "score": draw(st.sampled_from([None, 1 / 3]))}
    form = draw(st.sampled_from(["box", "polygon", "frame", "two"]))
    top, left = draw(number), draw(number)
    if form == "box":
        return Object(1, given_box=(top, left, top + draw(st.floats(0.1, 9)), left + draw(st.floats(0.1, 9))), **about)
    ring = SQUARE * draw(st.sampled_from([0.5, 1.0, 1.7])) + (top, left)
    holes = (ring.mean(axis=0) + (ring - ring.mean(axis=0)) / 2,) if form == "frame" else ()
    more = (Polygon(np.add(SQUARE, (draw(number), draw(number)))),) if form == "two" else ()
    return Object(1, (Polygon(ring, holes), *more), given_box=draw(st.sampled_from([None, None, (0, 0, 5, 5)])), **about)


@pytest.mark.parametrize("name", ALL_PAIRS)
@given(items=st.lists(odd_objects(), max_size=3), unused=st.booleans(), first=st.sampled_from([1, 1, 5, 2**31 - 9, 2**31 - 2]))
@law
def test_where_nothing_is_said_to_be_lost_all_comes_back(tmp_path_factory, name, items, unused, first):
    items = tuple(replace(item, number=number) for number, item in enumerate(items, first))
    table = class_table([item.class_name for item in items] + ["unused"] * unused)
    image = Objects((18, 16), items, "a.ome.tif", table)
    path = tmp_path_factory.mktemp(name) / ONE_FILE.get(name, "folder")
    try:
        account = formats.write(path, [image], format=name)
    except InputError:
        assert name == "yolo"  # names with spaces of their own have no line
        return
    with collect_warnings():
        (back,) = formats.read(path, format=name, shapes={image.image: image.shape})
    assert (back.image, back.shape, len(back)) == (image.image, image.shape, account.objects)
    if account.lost:
        return
    assert [(e.value, e.name) for e in back.classes] == [(e.value, e.name) for e in image.classes]
    for a, b in zip(image.items, back.items, strict=True):
        assert (a.number, a.class_name, a.score, a.box, a.form == "box") == (b.number, b.class_name, b.score, b.box, b.form == "box")
        np.testing.assert_array_equal(area(a, image.shape), area(b, image.shape))


@given(images=some_images())
@law
def test_masks_lose_what_lies_under_others_and_say_so(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("masks")
    account = formats.write(path, images, format="masks")
    back = formats.read(path, format="masks")
    under = wholly = partly = found = 0
    for one, again in zip(images, back, strict=True):
        assert one.shape == again.shape
        after = {item.number: item for item in again.items}
        found += len(after)
        for item in one.items:
            if item.crowd:
                assert item.number not in after
                continue
            before = area(item, one.shape)
            if item.number not in after:
                wholly, under = wholly + 1, under + int(before.sum())
                continue
            kept = area(after[item.number], one.shape)
            assert not (kept & ~before).any()
            under, partly = under + int((before & ~kept).sum()), partly + bool((before & ~kept).any())
            assert (item.class_name, item.score) == (after[item.number].class_name, after[item.number].score)
    assert account.objects == found
    assert account.lost.get("pixels under other objects", 0) == under
    assert account.lost.get("objects wholly under others", 0) == wholly
    assert account.lost.get("objects partly under others", 0) == partly
    assert account.lost.get("crowds, which have no mask of their own", 0) == sum(item.crowd for one in images for item in one.items)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_the_same_objects_give_the_same_bytes_and_are_recognised(tmp_path, name):
    ring = np.ones((5, 5), bool)
    ring[2, 2] = False
    images = [Objects((9, 9), (Object(1, runs=encode(np.pad(ring, 2)), class_name="cell"),), f"{k}.png") for k in (1, 2)]
    path = tmp_path / ONE_FILE.get(name, "folder")
    formats.write(path, images, format=name)
    first = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    formats.write(path, images, format=name)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == first
    assert formats.recognise(path) == name


@pytest.mark.parametrize("name", formats.FORMATS)
@pytest.mark.parametrize("content", [b"", b"{", b"\x00" * 40, b"<annotations", b"PK\x03\x04 and no more", b'{"a": [1, 2', b"[" * 3000])
def test_recognising_never_fails(tmp_path, name, content):
    path = tmp_path / "file.json"
    path.write_bytes(content)
    assert formats.recognise(path) in (None, *formats.FORMATS)
    module = __import__(formats.FORMATS[name], fromlist=["recognise"])
    assert module.recognise(path) in (True, False)
    assert module.recognise(tmp_path) in (True, False)
    assert module.recognise(tmp_path / "none") is False


# Formats that hold outlines as they are


def of(outlines):
    """The same as objects."""
    items = [Object(number, polygons, class_name=outlines.class_names.get(number, "")) for number, polygons in outlines.objects.items()]
    return [Objects(outlines.shape, tuple(items), "cells.tif")]


def read(module, path, **options):
    (one,) = module.read(path, **options)
    return outlines_of(one)


def equal(first, second):
    assert first.shape == second.shape
    assert first.class_names == second.class_names
    assert list(first.objects) == list(second.objects)
    for mine, other in zip(first.objects.values(), second.objects.values(), strict=True):
        assert len(mine) == len(other)
        for a, b in zip(mine, other, strict=True):
            for ring, same in zip((a.outer, *a.holes), (b.outer, *b.holes), strict=True):
                np.testing.assert_array_equal(ring, same)


@pytest.mark.parametrize("name", FORMATS)
@given(pixels=labels)
@law
def test_objects_with_holes_and_parts_survive(tmp_path, name, pixels):
    mask = InstanceMap(pixels, object_class={1: 1, 300: 1} if {1, 300} <= set(pixels.flat) else {}, classes=ClassTable.binary("Zelle"))
    outlines = trace(mask)
    account = FORMATS[name].write(tmp_path / name, of(outlines))
    assert (account.objects, account.lost) == (len(mask), {})
    back = read(FORMATS[name], tmp_path / name)
    equal(outlines, back)
    np.testing.assert_array_equal(fill(back).pixels, pixels)


@pytest.mark.parametrize("name", FORMATS)
def test_corners_between_pixels_survive(tmp_path, name):
    outlines = Outlines((9, 9), {4: (Polygon(SQUARE + 0.25, (SQUARE / 2 + 0.5,)),), 7: (Polygon(SQUARE + 2.125),)})
    FORMATS[name].write(tmp_path / name, of(outlines))
    equal(outlines, read(FORMATS[name], tmp_path / name))


@pytest.mark.parametrize("name", FORMATS)
def test_no_objects_at_all(tmp_path, name):
    account = FORMATS[name].write(tmp_path / name, of(Outlines((5, 6))))
    assert str(account).endswith(": 0 objects")
    equal(Outlines((5, 6)), read(FORMATS[name], tmp_path / name))


@pytest.mark.parametrize("name", FORMATS)
def test_same_outlines_same_bytes(tmp_path, name):
    outlines = trace(InstanceMap(np.eye(5, dtype=int)))
    FORMATS[name].write(tmp_path / name, of(outlines))
    first = (tmp_path / name).read_bytes()
    FORMATS[name].write(tmp_path / name, of(outlines))
    assert (tmp_path / name).read_bytes() == first


@pytest.mark.parametrize(("name", "module"), FORMATS.items())
def test_a_file_that_is_not_one_is_named(tmp_path, name, module):
    (tmp_path / name).write_bytes(b"what is this")
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        module.read(tmp_path / name)
    with pytest.raises(InputError, match="cannot be read"):
        module.read(tmp_path / "none")


@pytest.mark.parametrize("module", [imagej, geojson])
def test_several_images_are_a_folder_with_one_class_table(tmp_path, module):
    table = class_table(["rbc", "wbc"])
    cells = {name: (Object(1, (Polygon(SQUARE),), class_name=name, score=0.5),) for name in ("wbc", "rbc")}
    images = [Objects((9, 9), items, f"plate/{name}.tif", table) for name, items in cells.items()]
    account = module.write(tmp_path / "all", images)
    assert (account.objects, account.lost) == (2, {})
    back = module.read(tmp_path / "all")
    assert [(one.image, one.shape, one.items[0].class_name, one.items[0].score) for one in back] == [
        ("plate/rbc.tif", (9, 9), "rbc", 0.5), ("plate/wbc.tif", (9, 9), "wbc", 0.5)]  # fmt: skip
    assert all([entry.name for entry in one.classes] == ["rbc", "wbc"] for one in back)


@pytest.mark.parametrize(
    ("module", "words"), [(imagej, {"corners rounded to 32 bits": 4, "class names with other spaces": 1}), (geojson, {})]
)
def test_what_outlines_do_not_hold_is_counted(tmp_path, module, words):
    strange = Object(4, (Polygon(SQUARE),), given_box=(0, 0, 5, 5), score=float("nan"))
    empty, box = Object(3, runs=encode(np.zeros((9, 9)))), Object(2, given_box=(1, 1, 3, 3), class_name="a  b")
    items = (Object(1, (Polygon(SQUARE + 0.1),), crowd=True), box, empty, strange)
    account = module.write(tmp_path / "all", [Objects((9, 9), items, "a.tif", class_table(["a  b", "unused"]))])
    assert account.objects == 3
    assert account.lost == words | {
        "crowd marks": 1, "boxes, now rectangular areas": 1, "objects without a pixel": 1, "boxes that are not the area's own": 1,
        "classes without an object": 1, "scores that are not finite": 1}  # fmt: skip


def test_faulty_features_and_rois_can_be_left_out(tmp_path):
    good = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4]]]}, "properties": {"name": "3"}}
    bad = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [4, None], [4, 4]]]}, "properties": {}}
    (tmp_path / "a.geojson").write_text(json.dumps([good, bad]))
    imagej.write(tmp_path / "whole.zip", of(trace(InstanceMap(np.ones((4, 4), int)))))
    with zipfile.ZipFile(tmp_path / "whole.zip") as whole, zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1.roi", whole.read("1.roi"))
        archive.writestr("2.roi", whole.read("1.roi")[:50])
    for module, name, place in ((geojson, "a.geojson", "feature 1"), (imagej, "a.zip", r"2\.roi")):
        with pytest.raises(InputError, match=rf"{name}: {place}: "):
            module.read(tmp_path / name)
        with collect_warnings() as said:
            (image,) = module.read(tmp_path / name, shapes={"a.tif": (4, 4)}, skip_bad=True)
        assert len(image) == 1
        assert [message.endswith("; left out") for message in said] == [True]


def test_measurements_are_for_one_image(tmp_path):
    with pytest.raises(InputError, match="2 images have these"):
        geojson.write(tmp_path / "all", [Objects((4, 4), (), "a"), Objects((4, 4), (), "b")], measurements={1: {"area": 1.0}})


# ImageJ


def test_imagej_itself_would_find_the_square_at_2_to_8(tmp_path):
    pixels = np.zeros((12, 12), int)
    pixels[2:8, 2:8] = 3
    imagej.write(tmp_path / "a.zip", of(trace(InstanceMap(pixels))))
    (roi,) = roifile.roiread(tmp_path / "a.zip")
    assert (roi.name, roi.roitype) == ("3", roifile.ROI_TYPE.TRACED)
    assert (roi.top, roi.left, roi.bottom, roi.right) == (2, 2, 8, 8)
    assert sorted(map(tuple, roi.coordinates().tolist())) == [(2, 2), (2, 8), (8, 2), (8, 8)]


@pytest.mark.parametrize(("top", "lost"), [(0, 0), (-1, 1), (0.5, 1)])
def test_parts_over_each_other_become_the_pixels_of_the_image(tmp_path, top, lost):
    parts = (Polygon(SQUARE / 2), Polygon(np.add(SQUARE, (top, 0))))
    account = imagej.write(tmp_path / "a.zip", [Objects((9, 9), (Object(1, parts),), "a.tif")])
    assert account.lost == ({"parts that lie over each other, now whole pixels": 1} if lost else {})
    ((back,),) = (one.items for one in imagej.read(tmp_path / "a.zip"))
    np.testing.assert_array_equal(area(back, (9, 9)), area(Object(1, parts), (9, 9)))


def test_large_coordinates_fit_up_to_60535_and_are_lost_beyond(tmp_path):
    outlines = Outlines((70000, 70000), {1: (Polygon(SQUARE + 60531),), 2: (Polygon(SQUARE + 60532),)})
    account = imagej.write(tmp_path / "a.zip", of(outlines))
    assert account.lost == {"objects beyond 60535 px": 1}
    assert "lost: objects beyond 60535 px (1)" in str(account)
    back = read(imagej, tmp_path / "a.zip")
    assert list(back.objects) == [1]
    np.testing.assert_array_equal(back.objects[1][0].outer, SQUARE + 60531)


def test_a_single_roi_file(tmp_path):
    outlines = Outlines((4, 4), {9: (Polygon(SQUARE),)})
    imagej.write(tmp_path / "one.roi", of(outlines))
    equal(outlines, read(imagej, tmp_path / "one.roi", shapes={"one.tif": (4, 4)}))
    with pytest.raises(InputError, match="holds one object, found 0"):
        imagej.write(tmp_path / "one.roi", of(Outlines((4, 4))))


def test_rectangles_and_ovals_are_areas_lines_are_told(tmp_path):
    rect = roifile.ImagejRoi()
    rect.roitype, rect.left, rect.top, rect.right, rect.bottom, rect.name = roifile.ROI_TYPE.RECT, 1, 2, 5, 4, "cell"
    oval = roifile.ImagejRoi()
    oval.roitype, oval.left, oval.top, oval.right, oval.bottom, oval.name = roifile.ROI_TYPE.OVAL, 10, 10, 30, 20, "cell"
    line = roifile.ImagejRoi()
    line.roitype = roifile.ROI_TYPE.LINE
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for k, roi in enumerate((rect, oval, line)):
            archive.writestr(f"{k}.roi", roi.tobytes())
        archive.writestr("notes.txt", "not an ROI")
    with collect_warnings() as warnings:
        outlines = read(imagej, tmp_path / "a.zip")
    assert "1 of 3 ROIs are lines" in warnings[0]
    assert "1 ovals" in warnings[1]
    assert list(outlines.objects) == [1, 2]
    assert outlines.shape == (20, 30)
    mask = fill(outlines)
    assert (mask.pixels == 1).sum() == 8
    assert abs((mask.pixels == 2).sum() - np.pi * 10 * 5) < 5


def test_names_in_a_zip_lead_nowhere(tmp_path):
    imagej.write(tmp_path / "one.roi", of(Outlines((4, 4), {9: (Polygon(SQUARE),)})))
    inside = tmp_path / "deep" / "a.zip"
    inside.parent.mkdir()
    with zipfile.ZipFile(inside, "w") as archive:
        archive.writestr("../../outside.roi", (tmp_path / "one.roi").read_bytes())
    assert list(read(imagej, inside, shapes={"a.tif": (4, 4)}).objects) == [9]
    assert not list(tmp_path.rglob("outside.roi"))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.roi", bytes((1 << 26) + 1))
    (tmp_path / "bomb.zip").write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match=r"big\.roi unpacks to"):
        read(imagej, tmp_path / "bomb.zip")


def test_damaged_zips_are_told(tmp_path):
    path = tmp_path / "a.zip"
    imagej.write(path, of(trace(InstanceMap(np.ones((9, 9), int)))))
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[45:60] = bytes(15)
    for data in (bytes(broken), whole[: len(whole) // 2]):
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"a\.zip"):
            read(imagej, path)


# GeoJSON


def test_qupath_finds_what_it_expects(tmp_path):
    mask = InstanceMap(np.array([[0, 4], [7, 0]]), object_class={4: 1}, classes=ClassTable.binary("Tumor"))
    path = tmp_path / "a.geojson"
    values = {4: {"Area px": 1.0, "Solidity": float("nan")}}
    account = geojson.write(path, of(trace(mask)), object_type="detection", measurements=values)
    assert account.lost == {"measurements that are not finite": 1}
    first, second = json.loads(path.read_text())["features"]
    assert first["geometry"]["type"] == "Polygon"
    ring = first["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert sorted(map(tuple, ring[1:])) == [(1, 0), (1, 1), (2, 0), (2, 1)]  # x before y
    assert first["properties"] == {
        "objectType": "detection",
        "name": "4",
        "classification": {"name": "Tumor"},
        "measurements": {"Area px": 1.0},
    }
    assert "classification" not in second["properties"]


def test_features_of_other_programs(tmp_path):
    path = tmp_path / "q.geojson"
    corners = [[0, 0], [4.5, 0], [4.5, 3], [0, 3], [0, 0]]
    area = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [corners], "plane": {"c": -1, "z": 2, "t": 0}},
            "nucleusGeometry": {"type": "Polygon", "coordinates": [corners]},
            "properties": {"objectType": "cell", "classification": {"names": ["Tumor", "Positive"], "color": [200, 0, 0]}}}  # fmt: skip
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": None}
    for document in ([area, point], {"type": "FeatureCollection", "features": [area, point]}):
        path.write_text(json.dumps(document))
        with collect_warnings() as warnings:
            outlines = read(geojson, path)
        assert outlines.shape == (3, 5)
        assert outlines.class_names == {1: "Tumor: Positive"}
        assert ["1 of 2 features" in warnings[0], "1 cells have a nucleus" in warnings[1], "1 features lie on another" in warnings[2]] == [
            True
        ] * 3
    with collect_warnings():
        assert read(geojson, path, shapes={"q.tif": (10, 10)}).shape == (10, 10)


@pytest.mark.parametrize("corners", [[[0, 0]], [[0, "x"]] * 4, [[0]] * 4, [None] * 4, 7, [[0, 0], [0, 1], [1e999, 0]], [[0, 10**400]] * 4])
def test_a_ring_that_is_none_is_named(tmp_path, corners):
    path = tmp_path / "q.geojson"
    path.write_text(json.dumps({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [corners]}, "properties": {}}))
    with pytest.raises(InputError, match=r"q\.geojson: feature 0: a ring"):
        read(geojson, path)


@pytest.mark.parametrize("text", ["7", '{"type": "Topology"}', "[1, 2]", '{"type": "FeatureCollection", "features": 3}', "[" * 100000])
def test_json_of_another_kind_is_named(tmp_path, text):
    (tmp_path / "q.geojson").write_text(text)
    with pytest.raises(InputError, match=r"not (Geo)?JSON"):
        read(geojson, tmp_path / "q.geojson")


def test_parts_that_lie_over_each_other_are_one_area_in_imagej_too(tmp_path):
    small, large = (Polygon(size * np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])) for size in (2, 4))
    objects = Objects((6, 6), (Object(1, (small, large)),))
    imagej.write(tmp_path / "a.zip", [objects])
    (back,) = imagej.read(tmp_path / "a.zip")
    assert runs_of(back.items[0], (6, 6)).area == 16
