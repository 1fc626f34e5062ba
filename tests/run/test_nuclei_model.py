"""The model that comes along: sound, small, and worth its place beside the recipe of its name; in the base installation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from microtome.core.raster import Image
from microtome.io import read
from microtome.run.bundle import find_bundle, verify
from microtome.run.pipeline import segment
from microtome.run.shipped import model_path

PICTURE = Path(__file__).parents[2] / "examples" / "images" / "nuclei.png"
COUNTED = 102
"""Nuclei that the picture's annotators marked."""


def test_it_is_sound_and_at_most_8_megabytes():
    assert verify("nuclei").sound
    assert model_path("nuclei").stat().st_size <= 8_000_000


def test_it_finds_what_people_found_in_a_picture_that_it_did_not_learn_from():
    found = segment(PICTURE, find_bundle("nuclei").recipe).mask
    assert abs(len(found) - COUNTED) <= 5


def test_bit_depth_and_colour_of_the_file_do_not_matter():
    recipe = find_bundle("nuclei").recipe
    pixels = np.asarray(read(PICTURE).pixels)
    counts = [
        len(segment(same, recipe, engine="onnxruntime").mask)
        for same in (pixels, pixels.astype(np.uint16) * 257, pixels.astype(np.float32) / 255, Image(np.stack([pixels] * 3, -1), axes="yxc"))
    ]
    assert max(counts) - min(counts) <= 1


def test_its_card_says_where_the_pictures_come_from_and_what_may_be_done_with_them():
    card = find_bundle("nuclei").card
    assert "BBBC038v1" in card
    assert "CC0" in card
