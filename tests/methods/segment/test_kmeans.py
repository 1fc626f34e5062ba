from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from microtome.core.errors import InputError, RecipeError
from microtome.core.explain import listen
from microtome.core.raster import Image
from microtome.methods.segment._lloyd import fit, lloyd
from microtome.methods.segment._partition import absolute, partition, squared
from microtome.methods.segment.kmeans import kmeans
from microtome.methods.segment.otsu import otsu

ASTRONAUT = Image(data.astronaut()[::4, ::4], axes="yxc")


def cost_of(values: np.ndarray, metric: str) -> float:
    return float(np.sum((values - values.mean()) ** 2) if metric == "l2" else np.sum(np.abs(values - np.median(values))))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=5, max_size=10), st.integers(2, 4), st.sampled_from(["l1", "l2"]))
def test_no_cut_of_intensities_is_cheaper_than_the_one_found(counts, classes, metric):
    counts = np.array(counts)
    levels = np.flatnonzero(counts)
    if levels.size < classes:
        return

    def cost(last: tuple[int, ...]) -> float:
        bounds = [0, *(cut + 1 for cut in last), levels.size]
        return sum(cost_of(np.repeat(levels[a:b], counts[levels[a:b]]), metric) for a, b in pairwise(bounds))

    rule = squared if metric == "l2" else absolute
    found = partition(levels.size, classes, rule(counts[levels], levels))
    assert cost(tuple(found)) == pytest.approx(min(cost(c) for c in combinations(range(levels.size - 1), classes - 1)))


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_intensities_are_cut_where_otsu_cuts_them(classes):
    np.testing.assert_array_equal(kmeans(data.coins(), classes=classes).pixels, otsu(data.coins(), classes=classes).pixels)


def test_one_channel_is_an_intensity():
    image = Image(data.coins()[..., None], axes="yxc")
    np.testing.assert_array_equal(kmeans(image).pixels, kmeans(data.coins()).pixels)


@pytest.mark.parametrize("metric", ["l2", "l1"])
def test_colours_come_to_rest_in_the_middle_of_their_pixels(metric):
    with listen() as heard:
        labels = kmeans(ASTRONAUT, classes=4, metric=metric, foreground="all").pixels
    middle = np.mean if metric == "l2" else np.median
    centres = np.array([middle(ASTRONAUT.pixels[labels == k], axis=0) for k in range(4)])
    np.testing.assert_allclose(heard[0].data["centres"], centres)
    np.testing.assert_array_equal(heard[0].data["sizes"], np.bincount(labels.ravel()))
    assert (np.diff(centres.mean(axis=1)) > 0).all()


def test_skipping_points_by_bounds_changes_nothing(rng):
    values, counts = rng.normal(size=(400, 3)), np.ones(400)
    centres = values[:6].copy()
    for _ in range(300):
        distances = ((values[:, None] - centres) ** 2).sum(axis=2)
        labels = distances.argmin(axis=1)
        moved = np.array([values[labels == k].mean(axis=0) for k in range(6)])
        if np.allclose(moved, centres, rtol=0, atol=1e-13):
            break
        centres = moved
    np.testing.assert_allclose(lloyd(values, counts, values[:6].copy(), "l2").centres, centres)


def test_a_centre_without_points_moves_to_the_farthest_point():
    line = np.array([[0.0], [1], [10], [50]])
    clusters = lloyd(line, np.ones(4), np.array([[0.0], [1000], [2000]]), "l2")
    assert sorted(clusters.centres.ravel().tolist()) == [0.5, 10, 50]
    assert clusters.sizes.min() > 0


def test_more_restarts_never_cost_more(rng):
    values, counts = rng.random((300, 2)), rng.integers(1, 9, 300).astype(float)
    costs = [fit(values, counts, 7, "l2", restarts, 3).cost for restarts in (1, 3, 10)]
    assert costs == sorted(costs, reverse=True)


def test_the_seed_alone_decides():
    first = kmeans(ASTRONAUT, classes=5, restarts=2, seed=4).pixels
    np.testing.assert_array_equal(first, kmeans(ASTRONAUT, classes=5, restarts=2, seed=4).pixels)


def test_background_is_the_darkest_or_the_brightest_or_none():
    bright, dark, every = (kmeans(ASTRONAUT, restarts=2, foreground=f) for f in ("bright", "dark", "all"))
    np.testing.assert_array_equal(dark.pixels, 2 - bright.pixels)
    np.testing.assert_array_equal(every.pixels, bright.pixels)
    assert [e.role for e in bright.classes] == ["background", "stuff", "stuff"]
    assert [e.role for e in every.classes] == ["stuff"] * 3


def test_a_position_gathers_neighbours(rng):
    image = np.zeros((20, 30), np.uint8)
    image[:, 15:] = 1
    image ^= (rng.random(image.shape) < 0.1).astype(np.uint8)
    by_place = kmeans(image, classes=2, position=10, restarts=3, foreground="all").pixels
    assert len({tuple(row) for row in by_place}) == 1  # intensity no longer matters, halves do
    assert (by_place[0] == by_place[0, 0]).sum() == 15


def test_a_position_knows_the_spacing():
    image = Image(np.zeros((10, 12), np.uint8), spacing=(10.0, 1.0), unit="um")
    labels = kmeans(image, classes=2, position=1, restarts=5, foreground="all").pixels
    assert (labels == labels[:, :1]).all()  # cut across the long side in um, not in pixels


def test_a_position_refuses_tiles():
    halves = [ASTRONAUT.with_pixels(ASTRONAUT.pixels[:64]), ASTRONAUT.with_pixels(ASTRONAUT.pixels[64:])]
    with pytest.raises(RecipeError, match="whole image"):
        kmeans.summarise(halves, position=0.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int32, np.float32, np.float64])
def test_the_type_of_the_colours_does_not_matter(dtype):
    image = ASTRONAUT.with_pixels(ASTRONAUT.pixels.astype(dtype))
    np.testing.assert_array_equal(kmeans(image, restarts=1).pixels, kmeans(ASTRONAUT, restarts=1).pixels)


def test_fewer_values_than_classes_are_refused():
    with pytest.raises(InputError, match="3 distinct values, found 2"):
        kmeans(np.array([[1, 1, 2]], np.uint8))
    with pytest.raises(InputError, match="3 distinct colours, found 1"):
        kmeans(Image(np.zeros((4, 4, 3), np.uint8), axes="yxc"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)
