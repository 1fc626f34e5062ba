"""The widths of pieces: of the largest disc inside, each counted by its area."""

from __future__ import annotations

import numpy as np

from microtome.core.raster import SemanticMap
from microtome.learn.training.pieces import pieces_of, summed_up


def test_classes_are_apart_and_pieces_too():
    labels = np.zeros((12, 20), np.uint8)
    labels[1:6, 1:10] = 3  # five wide
    labels[6, 1:10] = 7  # a line, touching it
    labels[9:11, 15:17] = 3
    found = pieces_of(SemanticMap(labels))
    assert sorted(found) == [3, 7]
    np.testing.assert_array_equal(found[3], [[5, 45], [1, 4]])
    np.testing.assert_array_equal(found[7], [[1, 9]])


def test_a_piece_that_fills_the_picture_is_as_wide_as_the_picture():
    np.testing.assert_array_equal(pieces_of(SemanticMap(np.ones((6, 9), np.uint8)))[1], [[6, 54]])
    assert pieces_of(SemanticMap(np.zeros((6, 9), np.uint8))) == {}


def test_specks_say_little():
    specks, disc = np.tile([1.0, 1.0], (50, 1)), np.array([[30.0, 700.0]])
    assert summed_up([specks, disc]) == (51, 30, 30)
    assert summed_up([specks, disc[:, [0, 0]]]) == (51, 1, 1)  # fifty pixels in specks, thirty in the disc
