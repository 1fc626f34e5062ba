"""The traps of METHODS section 10, shown on the libraries that set them, and how Microtome passes them by.

The test shape is the square of rows and columns 2 to 7 in 12 x 12: 36 pixels.
"""

import io

import cv2
import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest
import roifile
import skimage.draw
import skimage.measure
from pycocotools import mask as coco_mask

from microtome.core.errors import InputError
from microtome.core.kernels.outlines import fill, trace
from microtome.core.kernels.run_lengths import encode, shared_pixels
from microtome.core.outlines import Outlines, Polygon
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.masks import read_mask, write_mask

SQUARE = np.zeros((12, 12), np.uint8)
SQUARE[2:8, 2:8] = 1
CORNERS_XY = [(2, 2), (8, 2), (8, 8), (2, 8)]


def test_eight_bits_wrap_and_ours_are_widened(tmp_path):
    assert np.array([256, 300]).astype(np.uint8).tolist() == [0, 44]
    labels = np.array([[0, 256, 300]])
    assert read_mask(write_mask(InstanceMap(labels), tmp_path / "a")).pixels.tolist() == labels.tolist()
    assert write_mask(InstanceMap(np.array([[0, 65536]])), tmp_path / "b").suffix == ".tif"  # a PNG ends at 65,535


def test_corners_are_36_pixels_here_and_49_where_polygons_go_through_centres():
    ring = np.array(CORNERS_XY, float)[:, ::-1]
    assert np.count_nonzero(fill(Outlines((12, 12), {1: (Polygon(ring),)})).pixels) == 36
    (rle,) = coco_mask.frPyObjects([[float(v) for corner in CORNERS_XY for v in corner]], 12, 12)
    assert coco_mask.area(rle) == 36
    canvas = np.zeros((12, 12), np.uint8)
    cv2.fillPoly(canvas, [np.array(CORNERS_XY, np.int32)], 1)
    picture = PIL.Image.new("1", (12, 12))
    PIL.ImageDraw.Draw(picture).polygon(CORNERS_XY, fill=1)
    assert canvas.sum() == np.asarray(picture).sum() == skimage.draw.polygon2mask((12, 12), ring).sum() == 49
    inner = np.array([[1.5, 1.5], [1.5, 7.5], [7.5, 7.5], [7.5, 1.5]])
    assert skimage.draw.polygon2mask((12, 12), inner).sum() == 36


def test_contours_of_others_go_through_centres_ours_along_the_edges():
    contours = cv2.findContours(SQUARE, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    assert (contours[0].min(), contours[0].max(), cv2.contourArea(contours[0])) == (2, 7, 25)
    (line,) = skimage.measure.find_contours(SQUARE, 0.5)
    assert (line.min(), line.max()) == (1.5, 7.5)
    ours = trace(InstanceMap(SQUARE.astype(int))).objects[1][0].outer
    assert (ours.min(), ours.max()) == (2, 8)
    assert cv2.contourArea(ours[:, ::-1].astype(np.float32)) == 36


def test_roifile_gives_a_box_one_too_large_for_corners():
    roi = roifile.ImagejRoi.frompoints(np.array(CORNERS_XY))
    assert (int(roi.roitype), roi.left, roi.top, roi.right, roi.bottom) == (7, 2, 2, 9, 9)


def test_a_crowd_is_divided_by_the_prediction_alone():
    other = np.zeros_like(SQUARE)
    other[3:9, 4:10] = 1
    pred, truth = (coco_mask.encode(np.asfortranarray(mask)) for mask in (SQUARE, other))
    plain, crowd = (coco_mask.iou([pred], [truth], [flag])[0, 0] for flag in (0, 1))
    assert (plain, crowd) == pytest.approx((0.384615385, 0.555555556))
    shared = shared_pixels(encode(SQUARE), encode(other))
    assert shared / (36 + 36 - shared) == pytest.approx(plain)
    assert shared / 36 == pytest.approx(crowd)


def test_a_gif_mask_is_one_as_a_palette_and_255_as_grey(tmp_path):
    picture = PIL.Image.fromarray(SQUARE, "P")
    picture.putpalette([0, 0, 0, 255, 255, 255])
    picture.save(tmp_path / "1_mask.gif")
    with PIL.Image.open(tmp_path / "1_mask.gif") as opened:
        assert (opened.mode, np.unique(np.asarray(opened)).tolist()) == ("P", [0, 1])
        assert np.unique(np.asarray(opened.convert("L"))).tolist() == [0, 255]
    assert (np.asarray(PIL.Image.open(tmp_path / "1_mask.gif")) // 255).max() == 0  # the seed's division makes it black
    found = read_mask(tmp_path / "1_mask.gif", kind="semantic")
    assert isinstance(found, SemanticMap)
    assert np.array_equal(found.pixels != 0, SQUARE != 0)


def test_jpeg_is_refused_for_labels(tmp_path):
    buffer = io.BytesIO()
    PIL.Image.fromarray(255 * SQUARE).save(buffer, "JPEG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="JPEG changes values"):
        read_mask(tmp_path / "a.png")
