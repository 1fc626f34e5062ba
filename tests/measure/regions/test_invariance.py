"""What must not change: moved, turned, renumbered and rescaled masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.raster import Image, InstanceMap
from microtome.measure.regions import measure

PLACED = ("centroid", "box", "weighted_centroid", "touches_border")
TURNED = (*PLACED, "orientation", "feret_angle", "central_moment", "normalised_moment")
flat = arrays(np.int8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3))
solid = arrays(np.int8, st.tuples(*[st.integers(1, 4)] * 3), elements=st.integers(0, 3))


def table_of(labels, light, spacing=(2.0, 1.0, 0.5)):
    axes = "zyx"[-labels.ndim :]
    return measure(InstanceMap(labels, axes=axes, spacing=spacing[-labels.ndim :], unit="um"), Image(light, axes=axes), ["all"])


def light_for(labels):
    return np.random.default_rng(labels.size).random(labels.shape)


def agree(one, other, rows=slice(None), but=()):
    assert list(one.columns) == list(other.columns)
    for name in one.columns:
        if not name.startswith(but):
            np.testing.assert_allclose(one[name][rows], other[name], rtol=1e-9, atol=1e-6, err_msg=name)


@settings(max_examples=30, deadline=None)
@given(st.one_of(flat, solid), st.integers(0, 5), st.integers(0, 5))
def test_moving_changes_places_only(labels, before, after):
    light = light_for(labels)
    there = np.pad(labels, [(before, after)] * labels.ndim)
    agree(table_of(labels, light), table_of(there, np.pad(light, [(before, after)] * labels.ndim, mode="edge")), but=PLACED)


@settings(max_examples=30, deadline=None)
@given(flat)
def test_a_quarter_turn_changes_places_and_angles_only(labels):
    light, square = light_for(labels), (1.0, 1.0)
    agree(table_of(labels, light, square), table_of(np.rot90(labels).copy(), np.rot90(light).copy(), square), but=TURNED)


@settings(max_examples=15, deadline=None)
@given(solid)
def test_a_quarter_turn_of_a_volume_turns_the_spacing_with_it(labels):
    light = light_for(labels)
    turned = table_of(np.rot90(labels).copy(), np.rot90(light).copy(), (1.0, 2.0, 0.5))
    agree(table_of(labels, light), turned, but=TURNED)


@settings(max_examples=20, deadline=None)
@given(st.one_of(flat, solid), st.permutations([1, 2, 3]))
def test_other_numbers_are_other_rows(labels, numbers):
    table = table_of(labels, light_for(labels))
    renamed = table_of(np.array([0, *numbers])[labels], light_for(labels))
    order = np.argsort(np.array([0, *numbers])[table["label"]])
    agree(table, renamed, order, but=("label",))


@settings(max_examples=20, deadline=None)
@given(st.one_of(flat, solid), st.sampled_from([0.25, 2.0, 8.0]))
def test_lengths_grow_with_the_spacing(labels, factor):
    light = light_for(labels)
    small, large = table_of(labels, light), table_of(labels, light, tuple(factor * step for step in (2.0, 1.0, 0.5)))
    assert list(small.columns) == list(large.columns)
    for name in small.columns:
        unit = small.units.get(name, "")
        power = int(unit[2:] or 1) if unit.startswith("um") else 0
        np.testing.assert_allclose(large[name], small[name] * factor**power, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_form_drawn_twice_as_fine_keeps_its_lengths(ndim):
    coarse = np.zeros((12,) * ndim, int)
    coarse[(slice(2, 10),) * ndim] = 1
    coarse[(slice(2, 6),) * ndim] = 0
    fine = coarse
    for axis in range(ndim):
        fine = np.repeat(fine, 4, axis)
    tables = [table_of(mask, np.ones(mask.shape), (step,) * 3) for mask, step in ((coarse, 4.0), (fine, 1.0))]
    for name in ("extent", "euler", "hu_1", "normalised_moment_yy"):
        if name in tables[0].columns:
            np.testing.assert_allclose(tables[0][name], tables[1][name], rtol=0.03)
    np.testing.assert_allclose(tables[0]["feret_max_um"], tables[1]["feret_max_um"], rtol=0.07)
