"""Each shipped recipe is accepted by a truth entered by eye; tests/data says how each was made."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from microtome.core.raster import Image, InstanceMap
from microtome.io import read, read_mask
from microtome.measure.metrics.evaluate import evaluate
from microtome.run.pipeline import segment

DATA = Path(__file__).parents[1] / "data"


def ellipses() -> InstanceMap:
    """The coins as ellipses; a pixel belongs to the one its centre lies in."""
    y, x = np.mgrid[:303, :384] + 0.5
    truth = np.zeros((303, 384), np.int32)
    with (DATA / "coins" / "ellipses.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            down = (y - float(row["centre_y"])) / float(row["half_height"])
            across = (x - float(row["centre_x"])) / float(row["half_width"])
            truth[down**2 + across**2 <= 1] = int(row["coin"])
    return InstanceMap(truth)


def filled(polygons, shape) -> np.ndarray:
    canvas = np.zeros(shape, np.uint8)
    for corners in polygons:
        cv2.fillPoly(canvas, [np.array([[x, y] for y, x in corners]).round().astype(np.int32)], 1)
    return canvas > 0


def iou(a, b) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def test_coins_finds_all_24_and_each_outline():
    found = segment(Image(skimage.data.coins()), "coins").mask
    scores = evaluate(found, ellipses(), task="instance")
    assert len(found) == 24
    assert scores["ap_50"] >= 0.95
    assert scores["ap_75"] >= 0.95


def test_page_finds_every_mark_of_the_title_and_nearly_every_one_of_the_text():
    def marks(line: str) -> int:
        letters = "".join(line.split())
        return len(letters) + sum(letters.count(double) for double in "ij:")

    title, text = (DATA / "page" / "text.txt").read_text().splitlines()
    assert (marks(title), marks(text)) == (26, 207)
    rows = segment(Image(skimage.data.page()), "page").objects["centroid_y_px"]
    assert np.count_nonzero((rows > 10) & (rows < 34)) == 26
    assert np.count_nonzero((rows > 48) & (rows < 137)) == pytest.approx(207, rel=0.05)


def test_tissue_finds_the_stained_glands():
    truth = filled(json.loads((DATA / "tissue" / "epithelium.json").read_text())["epithelium"], (512, 512))
    found = segment(Image(skimage.data.immunohistochemistry(), axes="yxc"), "tissue").mask.foreground()
    assert iou(found, truth) >= 0.93


def test_colours_finds_the_orange_suit_as_one_class():
    polygons = json.loads((DATA / "colours" / "suit.json").read_text())
    truth = filled([polygons["suit"]], (512, 512)) & ~filled(polygons["not_suit"], (512, 512))
    found = segment(Image(skimage.data.astronaut(), axes="yxc"), "colours").mask.pixels
    best = max(range(5), key=lambda value: iou(found == value, truth))
    assert iou(found == best, truth) >= 0.7
    inside = np.count_nonzero(truth & (found == best)) / np.count_nonzero(found == best)
    assert inside >= 0.85  # what it calls orange is the suit; what it misses are the suit's shadows


def test_nuclei_scores_on_real_pictures_of_the_training_part(labelled_sets):
    folder = labelled_sets / "dsb2018_nuclei" / "fluorescence" / "train"
    names = sorted(path.name for path in (folder / "images").glob("*.png"))[::16]
    scores = [
        evaluate(segment(read(folder / "images" / n), "nuclei").mask, read_mask(folder / "labels" / n), task="instance")["ap_50"]
        for n in names
    ]
    assert np.mean(scores) >= 0.72
