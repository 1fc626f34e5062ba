"""Files made to do harm, or damaged beyond sense: refused by name, with little memory and no other error than ours."""

import base64
import json
import struct
import zipfile
import zlib
from contextlib import suppress

import imagecodecs
import numpy as np
import pytest

import microtome.io.annotations as formats
from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import class_map, instance_map, polygons_of
from microtome.core.kernels.patches import patch_of
from microtome.core.objects import Object, Objects, Runs
from microtome.core.outlines import Polygon
from microtome.io.annotations.convert import convert
from microtome.io.annotations.document import read_xml
from microtome.io.annotations.entries import FARTHEST, field
from microtome.io.annotations.sizes import checked
from microtome.io.masks import png

SIDE = 90_000


def coco_of(segmentation, height=20, width=30, name="a.png"):
    return {"images": [{"id": 1, "file_name": name, "height": height, "width": width}], "categories": [{"id": 1, "name": "cell"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": segmentation}]}  # fmt: skip


def labelme_of(points, kind="polygon", mask=None, height=20, width=30):
    return {"version": "5", "imagePath": "a.png", "imageHeight": height, "imageWidth": width,
            "shapes": [{"label": "cell", "points": points, "shape_type": kind, "mask": mask}]}  # fmt: skip


def via_of(shape):
    return {"a": {"filename": "a.png", "size": 1, "regions": [{"shape_attributes": shape, "region_attributes": {}}], "file_attributes": {}}}


def geojson_of(ring):
    return [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {}}]


def cvat_of(shape, height=20, width=30):
    return f'<annotations><version>1.1</version><image id="0" name="a.png" width="{width}" height="{height}">{shape}</image></annotations>'


def voc_of(box):
    edges = "".join(f"<{name}>{edge}</{name}>" for name, edge in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return f"<annotation><filename>a.png</filename><object><name>cell</name><bndbox>{edges}</bndbox></object></annotation>"


def read(tmp_path, content, **options):
    path = tmp_path / ("a.xml" if isinstance(content, str) else "a.json")
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return formats.read(path, **options)


FAR = {
    "coco polygon": coco_of([[0, 0, 1e200, 3, 1e200, 1e200, 5, 1e199]]),
    "coco box": coco_of([]) | {"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1e308, 0, 1e308, 1]}]},
    "labelme polygon": labelme_of([[0, 0], [1e18, 0], [1e18, 1e18]]),
    "labelme rectangle": labelme_of([[0, 0], [1e18, 1e18]], "rectangle"),
    "labelme circle": labelme_of([[0, 0], [1e308, 1e308]], "circle"),
    "via": via_of({"name": "ellipse", "cx": 0, "cy": 0, "rx": 1e308, "ry": 1e308, "theta": 1}),
    "geojson": geojson_of([[0, 0], [1e30, 0], [1e30, 1e30]]),
    "cvat": cvat_of('<polygon label="cell" points="0,0;1e18,0;1e18,1e18"/>'),
    "cvat mask": cvat_of('<mask label="cell" rle="1, 3" left="1e300" top="0" width="2" height="2"/>'),
    "voc": voc_of((1, 1, "1e18", 5)),
}


@pytest.mark.parametrize("content", FAR.values(), ids=FAR)
def test_coordinates_farther_than_any_image_are_refused(tmp_path, content):
    with pytest.raises(InputError, match="farther out than any image"):
        read(tmp_path, content)


@pytest.mark.parametrize("content", [geojson_of([[0, 0], [1e9, 0], [1e9, 1e9]]), via_of({"name": "rect", "x": 0, "y": 0, "width": 1e9,
                                     "height": 1e9}), voc_of((1, 1, 1e9, 1e9))])  # fmt: skip
def test_objects_do_not_make_an_image_of_any_size(tmp_path, content):
    with pytest.raises(InputError, match="has no size, and its objects reach to 1000000000 x 1000000000"):
        read(tmp_path, content)


SIZED = {
    "coco": coco_of([], 10**9, 10**9),
    "coco runs": coco_of({"size": [10**9, 10**9], "counts": [0]}, None, None),
    "labelme": labelme_of([], height=10**9, width=10**9),
    "cvat": cvat_of("", 10**9, 10**9),
    "voc": "<annotation><size><width>1000000000</width><height>1000000000</height></size></annotation>",
}


@pytest.mark.parametrize("content", SIZED.values(), ids=SIZED)
def test_sizes_that_no_image_has_are_refused(tmp_path, content):
    with pytest.raises(InputError, match="the image's size is 1000000000 x 1000000000; expected"):
        read(tmp_path, content)


@pytest.mark.parametrize("size", [(1, 1 << 30), (0, 5), (-1, 5), ("x", 5), (None, 5), (2.5, 5), (float("inf"), 5), ("9" * 5000, 5)])
def test_sizes_are_two_whole_numbers(size):
    with pytest.raises(InputError, match="the image's size"):
        checked(*size)


def test_a_few_bytes_do_not_fill_the_memory_with_a_mask(tmp_path):
    runs = f'<mask label="cell" rle="0, {SIDE * SIDE}" left="0" top="0" width="{SIDE}" height="{SIDE}"/>'
    (found,) = read(tmp_path, cvat_of(runs, SIDE, SIDE))
    assert found.items[0].runs.area == SIDE * SIDE
    with pytest.raises(InputError, match="maps of up to"):
        instance_map(found)
    with pytest.raises(InputError, match="maps of up to"):
        class_map(found)
    with pytest.raises(InputError, match="outlines of up to"):
        polygons_of(found.items[0])
    with pytest.raises(InputError, match="up to 2147483648 are decoded"):
        patch_of(found.items[0].runs)


def test_a_packed_mask_that_unpacks_to_a_thousand_times_itself_is_refused(tmp_path):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0)
    packed = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")
    corners = [[0, 0], [SIDE - 1, SIDE - 1]]
    with pytest.raises(InputError, match=r"a\.json: shapes\[0\] \(cell\): its header says"):
        read(tmp_path, labelme_of(corners, "mask", base64.b64encode(packed).decode(), SIDE, SIDE))


def test_a_damaged_mask_of_which_libpng_says_no_text(tmp_path, monkeypatch):
    def decode(data):
        raise UnicodeDecodeError("utf-8", b"\xb0", 0, 1, "invalid start byte")

    packed = base64.b64encode(png.encode(np.ones((4, 4), np.uint8), {})).decode()
    monkeypatch.setattr(imagecodecs, "png_decode", decode)
    with pytest.raises(InputError, match=r"shapes\[0\] \(cell\): mask: the PNG is damaged"):
        read(tmp_path, labelme_of([[0, 0], [3, 3]], "mask", packed))


@pytest.mark.parametrize("name", ["a\0b.png", "a\ud800b.png"])
def test_names_that_are_no_text_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"a\.json: images\[0\]: 'file_name' holds"):
        read(tmp_path, coco_of([], name=name))
    with pytest.raises(InputError, match="'name' holds"):
        field({"name": name}, "name", str)


@pytest.mark.parametrize("format", ["labelme", "voc", "yolo", "geojson", "imagej", "masks"])
@pytest.mark.parametrize("name", ["a" * 5000 + ".png", "a\0b.png", "a\ud800b.png"])
def test_names_that_cannot_be_those_of_files(tmp_path, format, name):
    with pytest.raises(InputError, match=r"the (image name|name of an image)"):
        formats.write(tmp_path / "out", [Objects((9, 9), (), name)], format=format)


def test_an_encoding_that_nobody_knows_is_named(tmp_path):
    path = tmp_path / "a.xml"
    path.write_bytes(b'<?xml version="1.0" encoding="klingon"?><annotations/>')
    with pytest.raises(InputError, match=r"a\.xml: not XML"):
        read_xml(path, "annotations")


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zips_damaged_anywhere_are_told(tmp_path, packing):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("c.json", json.dumps(coco_of([[2, 2, 8, 2, 8, 8]])))
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(120):
        data = bytearray(whole)
        data[rng.integers(len(data))] ^= rng.integers(1, 256)
        path.write_bytes(data)
        with collect_warnings(), suppress(InputError):
            convert(path, tmp_path / "o.json", to="coco", overwrite=True)


def test_whole_corners_beyond_64_bits_are_written_as_they_are(tmp_path):
    ring = np.array([[0.0, 0.0], [0.0, 1e30], [1e30, 1e30]])
    formats.write(tmp_path / "a.geojson", [Objects((9, 9), (Object(1, (Polygon(ring),)),), "a.png")], format="geojson")
    text = json.loads((tmp_path / "a.geojson").read_text())
    assert text["features"][0]["geometry"]["coordinates"][0][1] == [1e30, 0]
    assert FARTHEST < 1e30


def test_two_parts_of_many_corners_are_joined(tmp_path):
    turn = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    circle = np.column_stack([np.sin(turn), np.cos(turn)])
    item = Object(1, (Polygon(circle * 9 + 10), Polygon(circle * 9 + (10, 30))))
    account = formats.write(tmp_path / "y", [Objects((20, 40), (item,), "a.png")], format="yolo")
    assert account.objects == 1
    assert "objects cut, or of parts in each other, written as their pixels" not in account.lost


def test_runs_without_a_pixel_are_no_patch():
    assert patch_of(Runs((3, 3), np.array([9]))).pixels.size == 0
