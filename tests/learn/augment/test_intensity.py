"""Steps that change values: their formulas, their dtypes, and noise that has the distribution it says."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from scipy import stats
from skimage.color import hed2rgb, rgb2hed

from microtome.core.errors import InputError
from microtome.learn.augment import catalogue
from microtome.learn.augment.chain import apply, chain_of
from microtome.learn.augment.example import Example, Frame
from microtome.learn.augment.intensity import (
    bias,
    blur,
    contrast,
    cutout,
    downscale,
    gain,
    gamma,
    gaussian_noise,
    hed_jitter,
    hue,
    poisson_noise,
    shading,
)

DTYPES = [np.uint8, np.uint16, np.float32]


def picture(dtype=np.uint8, shape=(30, 40), channels=3):
    values = np.random.default_rng(0).integers(0, 201, (*shape, channels))
    return Example(values.astype(dtype), span=(0.0, 200.0))


def rounded(values, dtype):
    if np.dtype(dtype).kind == "f":
        return values
    return np.clip(np.floor(values + 0.5), 0, np.iinfo(dtype).max)


@pytest.mark.parametrize("dtype", DTYPES)
def test_point_steps_are_their_formulas(dtype):
    example = picture(dtype)
    values = example.image.astype(np.float64)
    mean = values.mean((0, 1))
    expected = {
        (gain, "factor", (1.5,)): values * 1.5,
        (gain, "factor", (1.5, 0.5, 2.0)): values * [1.5, 0.5, 2.0],
        (bias, "share", (-0.25,)): values - 50,
        (gamma, "exponent", 1.5): 200 * (values / 200) ** 1.5,
        (contrast, "factor", 2.0): mean + 2 * (values - mean),
    }
    for (step, name, value), wanted in expected.items():
        parameter = list(value) if isinstance(value, tuple) else value
        found = step.apply({name: parameter}, example)
        assert found.image.dtype == dtype
        off = np.abs(found.image - rounded(wanted, dtype))
        assert off.max() <= (1e-3 if dtype == np.float32 else 1)  # 32 bits: a half may round the other way
        assert (off > 1e-3).mean() < 0.005


def test_a_large_16_bit_window_goes_through_a_table_and_gives_the_same():
    example = Example(np.random.default_rng(0).integers(0, 60000, (256, 256, 1)).astype(np.uint16), span=(0.0, 60000.0))
    steps = [("gamma", {"exponent": 0.8}), ("contrast", {"factor": 1.2})]
    whole = apply(steps, example).image
    values = 60000 * (example.image / 60000) ** 0.8
    wanted = rounded(values.mean() + 1.2 * (values - values.mean()), np.uint16)
    assert np.abs(whole - wanted).max() <= 1


def test_gamma_keeps_both_ends_and_an_image_of_one_value():
    ends = Example(np.array([[[10], [110]]], np.uint8), span=(10.0, 110.0))
    np.testing.assert_array_equal(gamma.apply({"exponent": 1.4}, ends).image, ends.image)
    flat = Example(np.full((2, 2, 1), 7, np.uint8), span=(7.0, 7.0))
    np.testing.assert_array_equal(gamma.apply({"exponent": 1.4}, flat).image, 7)


def test_neighbouring_steps_are_rounded_once():
    """Darker by 100, then brighter by 100: nothing is lost on the way, as it would be step by step."""
    example = picture()
    steps = [("gain", {"factor": [0.01]}), ("gain", {"factor": [100.0]})]
    np.testing.assert_array_equal(apply(steps, example).image, example.image)
    assert len(np.unique(gain.apply(steps[1][1], gain.apply(steps[0][1], example)).image)) == 3


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_gaussian_noise_is_normal_and_independent(dtype, channels):
    example = Example(np.full((301, 203, channels), 128, dtype), span=(0.0, 200.0))
    found = gaussian_noise.apply({"sigma": 0.05, "seed": 3}, example).image - np.float64(128)
    assert found.mean() == pytest.approx(0, abs=0.15)
    assert found.std() == pytest.approx(10, rel=0.01)
    if dtype == np.float32:
        assert stats.kstest(found.ravel()[:50000] / 10, "norm").pvalue > 1e-3
    for axis in range(3 if channels > 1 else 2):
        ahead, behind = np.delete(found, 0, axis).ravel(), np.delete(found, -1, axis).ravel()
        assert abs(np.corrcoef(ahead, behind)[0, 1]) < 0.015
    other = gaussian_noise.apply({"sigma": 0.05, "seed": 4}, example).image
    assert (other != found + 128).mean() > 0.8


@pytest.mark.parametrize("photons", [2.0, 11.0, 13.0, 60.0])
def test_poisson_noise_has_poissons_probabilities(photons):
    example = Example(np.ones((300, 300, 1), np.float32), span=(0.0, 1.0))
    counts = np.rint(poisson_noise.apply({"photons": photons, "seed": 5}, example).image * photons).astype(int).ravel()
    edges = np.unique(stats.poisson.ppf(np.linspace(0.02, 0.98, 12), photons)).astype(int)
    bins = zip([-1, *edges], [*edges, 10**6], strict=True)
    found = np.array([((counts > low) & (counts <= high)).sum() for low, high in bins])
    shares = np.diff([0, *stats.poisson.cdf(edges, photons), 1])
    assert np.abs(found / len(counts) - shares).max() < 0.006
    assert counts.mean() == pytest.approx(photons, rel=0.01)
    assert counts.var() == pytest.approx(photons, rel=0.03)


def test_poisson_noise_of_nothing_is_nothing():
    dark = Example(np.zeros((20, 20, 1), np.uint16), span=(0.0, 900.0))
    assert not poisson_noise.apply({"photons": 50.0, "seed": 1}, dark).image.any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_hue_is_the_hexagonal_models(dtype):
    example = picture(dtype)
    found = hue.apply({"shift": 0.07}, example).image
    for pixel, turned in zip(example.image.reshape(-1, 3)[:200], found.reshape(-1, 3)[:200], strict=True):
        h, s, v = colorsys.rgb_to_hsv(*(pixel / 255.0))
        wanted = np.multiply(colorsys.hsv_to_rgb((h + 0.07) % 1, s, v), 255)
        assert np.abs(turned - wanted).max() <= (0.51 if dtype != np.float32 else 1e-3)


def test_a_third_of_the_circle_makes_red_green():
    red = Example(np.array([[[200, 0, 0]]], np.uint8))
    assert hue.apply({"shift": 1 / 3}, red).image.tolist() == [[[0, 200, 0]]]


def test_hed_jitter_changes_the_stains_that_scikit_image_separates():
    """scikit-image's vectors are Ruifrok's too, not scaled to one; a factor on a stain does not depend on that."""
    stains = np.random.default_rng(0).uniform(0.05, 0.4, (12, 12, 3)) * [1, 1, 0.2]
    white = 1000.0
    image = (white * hed2rgb(stains)).astype(np.float32)
    factor = [1.1, 0.9, 1.0]
    found = hed_jitter.apply({"factor": factor, "shift": [0.0, 0.0, 0.0]}, Example(image, span=(0.0, white))).image
    inside = (image.min(-1) > 2) & (found.min(-1) > 2)
    assert inside.mean() > 0.5
    got = rgb2hed((found / white).clip(0, 1))
    before = rgb2hed((image / white).clip(0, 1))
    np.testing.assert_allclose(got[inside][:, :2], (before * factor)[inside][:, :2], rtol=0.02, atol=0.004)


def test_no_change_of_stains_changes_nothing():
    example = picture()
    found = hed_jitter.apply({"factor": [1.0] * 3, "shift": [0.0] * 3}, example).image
    assert np.abs(found.astype(int) - example.image).max() <= 1


@pytest.mark.parametrize("step", [hue, hed_jitter])
def test_colours_need_three_channels(step):
    frame = Frame((8, 8), 1)
    with pytest.raises(InputError, match="red, green and blue, found 1"):
        step.apply(step.draw(np.random.default_rng(0), frame), Example(np.zeros((8, 8, 1), np.uint8)))


@pytest.mark.parametrize("shape", [(21, 21), (9, 21, 21)])
def test_blur_is_a_gaussian(shape):
    image = np.zeros((*shape, 1), np.float32)
    middle = tuple(n // 2 for n in shape)
    image[middle] = 1
    found = blur.apply({"sigma": [1.0] * len(shape)}, Example(image)).image[..., 0]
    assert found.sum() == pytest.approx(1, abs=1e-3)
    beside = (*middle[:-1], middle[-1] + 1)
    assert found[beside] / found[middle] == pytest.approx(np.exp(-0.5), rel=0.02)


def test_downscale_keeps_the_mean_and_loses_detail():
    example = picture(np.float32)
    found = downscale.apply({"factor": 2.0}, example).image
    assert found.shape == example.image.shape
    assert found.mean() == pytest.approx(example.image.mean(), rel=0.01)
    assert found.std() < 0.7 * example.image.std()
    assert downscale.apply({"factor": 1.0}, example) is example


def test_downscale_takes_any_number_of_channels_each_alone():
    planes = np.random.default_rng(0).random((33, 40, 9), np.float32)
    found = downscale.apply({"factor": 1.5}, Example(planes)).image
    for channel in range(9):
        alone = downscale.apply({"factor": 1.5}, Example(planes[..., channel : channel + 1])).image
        np.testing.assert_array_equal(found[..., channel : channel + 1], alone)


def test_cutout_is_the_mean_and_stays_inside():
    example = picture()
    drawn = cutout.draw(np.random.default_rng(0), example.frame, count=3, size=(0.5, 0.5))
    found = cutout.apply(drawn, example).image
    hidden = np.zeros(example.shape, bool)
    for y0, x0, y1, x1 in drawn["boxes"]:
        assert (y1 - y0) <= 15
        hidden[y0:y1, x0:x1] = True
    np.testing.assert_array_equal(found[~hidden], example.image[~hidden])
    np.testing.assert_array_equal(found[hidden], np.broadcast_to(rounded(example.image.mean((0, 1)), np.uint8), (hidden.sum(), 3)))


@pytest.mark.parametrize("name", catalogue.names("intensity"))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(12, 14), (5, 12, 14)])
def test_every_step_keeps_shape_dtype_and_the_labels(name, dtype, shape):
    example = Example(np.random.default_rng(0).integers(0, 200, (*shape, 3)).astype(dtype), classes=np.ones(shape, np.uint8), span=(0, 200))
    for draw in range(3):
        drawn = chain_of([name]).draw(np.random.default_rng(draw), example.frame)
        found = apply(drawn, example)
        assert found.image.shape == example.image.shape
        assert found.image.dtype == dtype
        assert np.isfinite(found.image).all()
        assert found.classes is example.classes
        np.testing.assert_array_equal(apply(drawn, example).image, found.image)


@pytest.mark.parametrize("shape", [(120, 150), (6, 60, 50)])
def test_shading_is_smooth_and_as_strong_as_it_says(shape):
    flat = Example(np.full((*shape, 2), 0.6, np.float32), span=(0.1, 1.1))
    logs, sums = [], []
    for seed in range(60):
        drawn = {"size": 25.0, "gain": 0.4, "offset": 0.0, "seed": seed}
        field = np.log((shading.apply(drawn, flat).image - 0.1) / 0.5)
        np.testing.assert_allclose(field[..., 0], field[..., 1], atol=1e-6)
        assert np.abs(np.diff(field, axis=-2)).max() < 0.15  # 25 pixels from one drawn value to the next
        logs.append(field)
        sums.append(shading.apply(drawn | {"gain": 0.0, "offset": 0.2}, flat).image - 0.6)
    for found, strength in ((logs, 0.4), (sums, 0.2)):
        assert np.mean(found) == pytest.approx(0, abs=0.2 * strength)
        assert 0.5 * strength < np.std(found) < strength  # between grid points a field varies less than on them


def test_shading_repeats_itself_and_keeps_dtype_labels_and_an_image_of_one_value():
    example = picture()
    drawn = {"size": 5.0, "gain": 0.3, "offset": 0.1, "seed": 7}
    first, again = (shading.apply(drawn, example) for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)
    assert first.image.dtype == example.image.dtype
    assert first.objects is example.objects
    blank = Example(np.full((4, 5, 1), 9, np.uint8), span=(9.0, 9.0))
    assert shading.apply(drawn, blank) is blank
