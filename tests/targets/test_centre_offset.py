"""Centres and offsets: where centres lie, and decoding where they fail."""

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap, ScoreMap
from microtome.targets.instance.centre_offset import centre_offset, encode


def ring():
    labels = np.zeros((11, 12), np.int32)
    labels[1:10, 1:10] = 7
    labels[3:8, 3:10] = 0  # a C
    return labels


def test_offsets_lead_to_one_place():
    labels = ring()
    for centre in ("mass", "medoid"):
        found = encode(InstanceMap(labels), centre=centre)
        pointed = np.argwhere(labels > 0) + found["offset"][labels > 0]
        assert np.ptp(pointed, axis=0).max() < 1e-5
        if centre == "medoid":
            assert labels[tuple(np.rint(pointed[0]).astype(int))] == 7
        else:
            np.testing.assert_allclose(pointed[0], np.argwhere(labels > 0).mean(0), rtol=1e-6)
            assert labels[tuple(np.rint(pointed[0]).astype(int))] == 0  # the C's middle is outside
    assert (found["offset"][labels == 0] == 0).all()


@pytest.mark.parametrize("spacing", [(1, 1, 1), (3, 1, 1)])
def test_heat_is_a_bell_around_each_centre(spacing):
    labels = np.zeros((7, 9, 20), np.int32)
    labels[2:5, 3:6, 3:6], labels[2:5, 3:6, 12:15] = 3, 5
    found = encode(InstanceMap(labels, axes="zyx", spacing=spacing, unit="um"), sigma=2)["centre"]
    grid = np.indices(labels.shape)
    far = [sum(((g - c) * s) ** 2 for g, c, s in zip(grid, centre, spacing, strict=True)) for centre in ((3, 4, 4), (3, 4, 13))]
    np.testing.assert_allclose(found, np.exp(-np.minimum(*far) / 8), atol=4e-6)


def test_nothing_to_encode():
    found = encode(InstanceMap(np.zeros((3, 4), int)))
    assert not found["centre"].any()
    assert found["offset"].shape == (3, 4, 2)


def scores(**layers):
    return ScoreMap(np.stack([np.asarray(v, float) for v in layers.values()], -1), axes="yxc", layers=tuple(layers))


def test_without_centres_pieces_are_objects():
    blank = np.zeros((3, 6))
    share = np.array([[1, 1, 0, 0, 1, 1]] * 3)
    found = centre_offset(scores(foreground=share, centre=blank, dy=blank, dx=blank))
    assert found.pixels[0].tolist() == [1, 1, 0, 0, 2, 2]


def test_close_peaks_are_one_and_faint_ones_none():
    blank, share = np.zeros((1, 12)), np.ones((1, 12))
    heat = np.zeros((1, 12))
    heat[0, [2, 4, 9]] = 0.9, 0.8, 0.3
    layers = {"foreground": share, "centre": heat, "dy": blank, "dx": blank}
    assert len(centre_offset(scores(**layers), min_distance=1)) == 3
    blurred = layers | {"centre": np.maximum(heat, 0.2 * share)}  # in one piece above the threshold, where near peaks compete
    assert len(centre_offset(scores(**blurred), min_distance=3)) == 2
    assert len(centre_offset(scores(**layers), min_distance=1, centre=0.5)) == 2
    found = centre_offset(scores(**layers), min_distance=1)
    assert found.object_score == pytest.approx({1: 0.9, 2: 0.8, 3: 0.3})


def test_every_layer_is_needed():
    with pytest.raises(InputError, match="expected foreground, centre, dy, dx"):
        centre_offset(scores(foreground=np.ones((2, 2)), centre=np.ones((2, 2)), dy=np.ones((2, 2))))
