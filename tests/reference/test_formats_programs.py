"""The square of rows and columns 2 to 7 in an image of 12 x 12, 36 pixels, as annotation programs write it: a file each, by hand."""

import base64
import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

import microtome.io.annotations as formats
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import runs_of
from microtome.core.kernels.run_lengths import decode

SIZES = {"a.png": (12, 12)}
CORNERS = [[2, 2], [8, 2], [8, 8], [2, 8]]


def png_of_ones(height, width):
    packed = io.BytesIO()
    Image.fromarray(np.ones((height, width), np.uint8)).save(packed, "PNG")
    return base64.b64encode(packed.getvalue()).decode()


def labelme(kind, points, mask=None):
    shape = {"label": "cell", "points": points, "group_id": None, "shape_type": kind, "flags": {}, "mask": mask}
    document = {"version": "5.4.1", "flags": {}, "shapes": [shape], "imagePath": "a.png", "imageData": None, "imageHeight": 12,
                "imageWidth": 12}  # fmt: skip
    return json.dumps(document).encode()


def via(shape, version=2):
    region = {"shape_attributes": shape, "region_attributes": {"class": "cell"}}
    entry = {"filename": "a.png", "size": 100, "regions": [region] if version == 2 else {"0": region}, "file_attributes": {}}
    return json.dumps({"a.png100": entry}).encode()


def cvat(shape):
    return f'<annotations><version>1.1</version><image id="0" name="a.png" width="12" height="12">{shape}</image></annotations>'.encode()


def geojson(ring):
    geometry = {"type": "Polygon", "coordinates": [ring], "plane": {"c": -1, "z": 0, "t": 0}}
    properties = {"objectType": "annotation", "classification": {"name": "cell", "color": [200, 0, 0]}, "isLocked": False}
    return json.dumps([{"type": "Feature", "id": "1", "geometry": geometry, "properties": properties}]).encode()


def imagej(kind, corners):
    """The header of an ROI: "Iout", version, type, top left bottom right (8 beyond the last pixel 7), corners from the upper left."""
    head = struct.pack(">4shBxhhhhH", b"Iout", 227, kind, 2, 2, 8, 8, len(corners)).ljust(64, b"\0")
    x, y = np.array(corners or np.zeros((0, 2)), np.int16).T - 2
    return head + x.astype(">i2").tobytes() + y.astype(">i2").tobytes()


POLYGON = {"name": "polygon", "all_points_x": [2, 8, 8, 2], "all_points_y": [2, 2, 8, 8]}
WIDER = f'<mask label="cell" rle="1, {"6, 2, " * 5}6, 1" left="1" top="2" width="8" height="6"/>'
FILES = {
    "labelme polygon": ("labelme", "a.json", labelme("polygon", CORNERS)),
    "labelme rectangle": ("labelme", "a.json", labelme("rectangle", [[2, 2], [8, 8]])),
    "labelme mask: its box is inclusive": ("labelme", "a.json", labelme("mask", [[2, 2], [7, 7]], png_of_ones(6, 6))),
    "via 2 polygon": ("via", "a.json", via(POLYGON)),
    "via 2 rect": ("via", "a.json", via({"name": "rect", "x": 2, "y": 2, "width": 6, "height": 6})),
    "via 1 polygon": ("via", "a.json", via(POLYGON, 1)),
    "cvat polygon": ("cvat", "a.xml", cvat('<polygon label="cell" points="2.00,2.00;8.00,2.00;8.00,8.00;2.00,8.00" z_order="0"/>')),
    "cvat box": ("cvat", "a.xml", cvat('<box label="cell" xtl="2.00" ytl="2.00" xbr="8.00" ybr="8.00" z_order="0"/>')),
    "cvat mask": ("cvat", "a.xml", cvat('<mask label="cell" rle="0, 36" left="2" top="2" width="6" height="6" z_order="0"/>')),
    "cvat mask in a wider box": ("cvat", "a.xml", cvat(WIDER)),
    "geojson": ("geojson", "a.geojson", geojson([*CORNERS, CORNERS[0]])),
    "imagej polygon": ("imagej", "a.roi", imagej(0, CORNERS)),
    "imagej rectangle": ("imagej", "a.roi", imagej(1, [])),
    "imagej freehand": ("imagej", "a.roi", imagej(7, CORNERS)),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_the_square_has_36_pixels_wherever_it_comes_from(tmp_path, name):
    form, file, content = FILES[name]
    (tmp_path / file).write_bytes(content)
    assert formats.recognise(tmp_path / file) == form
    (image,) = formats.read(tmp_path / file, shapes=SIZES)
    expected = np.zeros((12, 12), bool)
    expected[2:8, 2:8] = True
    np.testing.assert_array_equal(decode(runs_of(image.items[0], (12, 12))), expected)
    assert image.items[0].box == (2, 2, 8, 8)
    assert image.items[0].class_name == ("" if form == "imagej" else "cell")


def test_a_circle_of_labelme_is_its_centre_and_a_point_on_its_rim(tmp_path):
    (tmp_path / "a.json").write_bytes(labelme("circle", [[6, 6], [9, 10]]))  # 3, 4, 5
    with collect_warnings():
        (image,) = formats.read(tmp_path / "a.json")
    np.testing.assert_allclose(image.items[0].box, (1, 1, 11, 11))


def test_a_point_of_imagej_is_no_area(tmp_path):
    (tmp_path / "a.roi").write_bytes(imagej(10, CORNERS[:1]))
    with collect_warnings() as said:
        (image,) = formats.read(tmp_path / "a.roi", shapes=SIZES)
    assert len(image) == 0
    assert "1 of 1 ROIs are lines, points" in said[0]


PUBLISHED = """17 10 27 15 23 18 20 21 18 23 16 24 15 26 13 27 13 27 12 29 10 30 9 32 7 34 5 36 3 38 2 38 2 39 1 39 1 120 1 39 1 39 1 39 2
38 2 38 3 37 3 37 3 37 4 36 4 35 6 34 7 33 7 32 9 30 10 29 13 26 15 23 18 20 22 15 12"""


def test_a_mask_drawn_with_the_brush_of_cvat(tmp_path):
    """Run lengths of a round spot as a user of CVAT published them, with left 79, top 304, width 40, height 40."""
    mask = f'<mask label="blah" rle="{", ".join(PUBLISHED.split())}" left="79" top="304" width="40" height="40" z_order="0"></mask>'
    (tmp_path / "a.xml").write_bytes(cvat(mask).replace(b'width="12" height="12">', b'width="900" height="700">'))
    (image,) = formats.read(tmp_path / "a.xml")
    (spot,) = image.items
    assert spot.box == (304, 79, 344, 119)
    assert spot.runs.area == sum(int(word) for word in PUBLISHED.split()[1::2])
    rows = decode(spot.runs)[304:344, 79:119]
    assert (np.count_nonzero(rows[0]), np.flatnonzero(rows[0])[0]) == (10, 17)  # row by row: the first run of ones is the top row
    assert all(np.count_nonzero(np.diff(np.pad(row.astype(int), 1)) == 1) == 1 for row in rows)
