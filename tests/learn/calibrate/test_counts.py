"""Intervals about counts: they hold as often as they say on counts of whatever distribution, and say nothing where images are too few."""

from __future__ import annotations

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.learn.calibrate.counts import FEWEST, fit_count_interval
from microtome.run.count_interval import CountInterval, count_columns, count_interval


def counted(rng, images):
    """True numbers, and those a model finds: it misses a tenth, and some images are much worse."""
    true = rng.poisson(rng.gamma(3, 15, images))
    miss = np.where(rng.random(images) < 0.1, 0.5, 0.9)
    return rng.binomial(true, miss) + rng.poisson(1, images), true


@pytest.mark.parametrize(("images", "level"), [(9, 0.9), (30, 0.9), (5, 0.8)])
def test_of_further_images_at_least_so_many_lie_inside(images, level):
    """The mean over many held-out sets is what the theorem is about; 400 sets leave a standard error of about 0.01."""
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(400):
        interval = fit_count_interval(*counted(rng, images))
        assert interval.level == level
        found, true = counted(rng, 20)
        inside += [low <= count <= high for (low, high), count in zip(map(interval.around, found.tolist()), true, strict=True)]
    assert level - 0.02 <= np.mean(inside) <= level + 1 / (images + 1) + 0.03


def test_quantile_by_hand():
    """Nine errors of 24 found: |d| / 5; the ninth smallest of ceil(10 * 0.9) = 9 is the largest, 5 / 5."""
    interval = fit_count_interval([24] * 9, [24, 25, 23, 26, 22, 24, 24, 29, 24])
    assert (interval.quantile, interval.coverage) == (1.0, None)
    assert interval.around(99) == (89, 109)
    assert interval.around(0) == (0, 1)


def test_coverage_leaves_out_one_group_at_a_time():
    """Ten images: by the other nine, the largest of nine errors is the bound; only the image with the largest of all lies outside."""
    interval = fit_count_interval([24] * 10, [24, 25, 23, 26, 22, 24, 24, 29, 24, 24])
    assert interval.coverage == 0.9


def test_many_images_of_few_groups_are_few():
    assert FEWEST == {0.9: 9, 0.8: 4}
    found, true = [10] * 30, [11] * 30
    assert fit_count_interval(found, true, ["a", "b", "c"] * 10) is None
    assert fit_count_interval(found, true, ["a", "b", "c", "d", "e"] * 6).level == 0.8
    assert fit_count_interval(found[:3], true[:3]) is None
    assert fit_count_interval(found, true).level == 0.9


def test_the_largest_error_lies_inside_its_own_interval():
    rng = np.random.default_rng(3)
    for _ in range(50):
        found, true = counted(rng, 9)
        interval = fit_count_interval(found.tolist(), true.tolist())
        spans = [interval.around(count) for count in found.tolist()]
        assert all(low <= count <= high for (low, high), count in zip(spans, true.tolist(), strict=True))


def test_lengths_must_agree():
    with pytest.raises(InputError, match="2 counts, 1 true ones"):
        fit_count_interval([1, 2], [1])


def test_it_comes_back_from_a_card():
    interval = fit_count_interval(range(12), range(1, 13))
    assert count_interval(interval.facts()) == interval
    assert count_interval({"spacing": 1}) is None
    with pytest.raises(InputError, match=r"model\.zip: count_interval needs the numbers"):
        count_interval({"count_interval": {"level": 0.9}}, "model.zip")
    with pytest.raises(InputError, match="level lies between"):
        count_interval({"count_interval": {**interval.facts()["count_interval"], "level": 90}})


def test_several_outputs_have_an_interval_each():
    wider = count_columns(CountInterval(0.9, 1.0, 9, 9, None, 50), {"image": "a", "nuclei_count": 24, "cells_count": 3})
    assert list(wider) == [
        "image",
        "nuclei_count",
        "nuclei_count_low",
        "nuclei_count_high",
        "cells_count",
        "cells_count_low",
        "cells_count_high",
    ]
    assert (wider["nuclei_count_low"], wider["cells_count_high"]) == (19, 5)
