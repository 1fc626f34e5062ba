"""The chain that training begins with: the same for normalised floats as for raw counts, and never a stain where there is none."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from microtome.core.errors import RecipeError
from microtome.core.raster import Image, InstanceMap
from microtome.core.result import Sample
from microtome.learn.augment.chain import apply, chain_of
from microtome.learn.augment.content import content_of
from microtome.learn.augment.default import default_chain
from microtome.learn.augment.example import Frame, example_of, span_of
from microtome.learn.augment.geometry import flips
from microtome.learn.augment.intensity import gamma
from microtome.learn.augment.randomness import generator
from microtome.methods.prepare.normalise import normalise
from microtome.run.yaml_text import load

GEOMETRY = {"flips", "affine", "elastic"}


def names(**options):
    return [next(iter(one.step)) for one in default_chain(**{"channels": 1, "window": (64, 64), **options})]


def settings(name, **options):
    steps = {key: value for one in default_chain(**{"channels": 1, "window": (64, 64), **options}) for key, value in one.step.items()}
    return steps[name]


def test_stains_change_only_where_there_are_stains():
    assert "hed_jitter" in names(channels=3, content="histology")
    for channels, content in [(1, "grey"), (3, "fluorescence"), (3, "colour"), (1, "histology"), (4, "histology")]:
        assert "hed_jitter" not in names(channels=channels, content=content)
    assert "hue" in names(channels=3, content="colour")


def test_most_windows_keep_their_values_under_every_step():
    for content in ("grey", "fluorescence", "histology", "colour"):
        for one in default_chain(channels=3, window=(64, 64), content=content):
            name, given = next(iter(one.step.items()))
            assert one.reason
            assert name in GEOMETRY or given["probability"] <= 0.5


def test_an_up_stays_up():
    chain = chain_of([one.step for one in default_chain(channels=1, window=(64, 64), oriented=True)])
    rng = generator(0)
    for _ in range(100):
        drawn = dict(chain.draw(rng, Frame((64, 64))))
        assert drawn["flips"]["axes"] == [0, 1]
        assert drawn["flips"]["flip"][0] is False
        assert abs(drawn.get("affine", {"rotation": 0})["rotation"]) <= 10
    both = {dict(chain.draw(rng, Frame((64, 64))))["flips"]["flip"][1] for _ in range(40)}
    assert both == {True, False}


def test_a_grain_stays_as_it_runs_and_has_no_up():
    chain = chain_of([one.step for one in default_chain(channels=1, window=(64, 64), oriented="grain")])
    drawn = [dict(chain.draw(generator(seed), Frame((64, 64))))["flips"] for seed in range(60)]
    assert {tuple(one["flip"]) for one in drawn} == {(a, b) for a in (True, False) for b in (True, False)}
    assert {tuple(one["axes"]) for one in drawn} == {(0, 1)}


def test_a_volume_stays_upright_too():
    seen = {tuple(flips.draw(generator(seed), Frame((8, 16, 16)), upright=True)["flip"]) for seed in range(40)}
    assert seen == {(False, False, False), (False, False, True)}


def test_bending_goes_with_the_window_up_to_the_pixels_of_u_net():
    found = [settings("elastic", window=(side, side))["sigma"] for side in (32, 64, 256, 2048)]
    assert found == sorted(found)
    assert found[-1] == 10
    for side, sigma in zip((32, 64, 256), found, strict=False):
        assert sigma <= (side / 2) / 4  # an eighth would do; a quarter of the distance between knots folds


def test_channels_of_their_own_are_exposed_on_their_own():
    assert settings("gain", channels=2, content="fluorescence")["each_channel"] is True
    assert "each_channel" not in settings("gain", channels=3, content="colour")


@pytest.mark.parametrize(
    ("options", "said"),
    [({"window": (64,)}, "2 or 3 sizes"), ({"channels": 0}, "channels: found 0"), ({"content": "blue"}, "expected one of grey")],
)
def test_what_is_wrong_is_said(options, said):
    with pytest.raises(RecipeError, match=said):
        default_chain(**{"channels": 1, "window": (64, 64), **options})


@pytest.mark.parametrize("hot", [False, True])
def test_a_normalised_image_changes_as_the_raw_one_does(hot):
    """The same amounts of the range: to change raw counts and then normalise them, or the other way round, is one."""
    rng = np.random.default_rng(0)
    raw = rng.gamma(2.0, 300.0, (96, 96)).astype(np.float32) + 100
    if hot:
        raw[3, 4] = 60_000
    truth = InstanceMap(np.ones(raw.shape, np.int32))
    image = Image(raw)
    unit = normalise(image)
    low, high = np.percentile(raw, (1, 99.8))
    assert span_of(unit) == pytest.approx((0, 1), abs=1e-5)
    counts, shares = example_of(Sample(image, truth)), example_of(Sample(unit, truth))
    for step in (("bias", {"share": [0.1]}), ("gamma", {"exponent": 1.4}), ("gamma", {"exponent": 0.7}), ("contrast", {"factor": 1.3}),
                 ("gaussian_noise", {"sigma": 0.05, "seed": 3})):  # fmt: skip
        whole = (apply([step], counts).image - low) / (high - low)
        np.testing.assert_allclose(apply([step], shares).image, whole, atol=2e-4, rtol=1e-3)


def test_a_hot_pixel_does_not_decide_the_noise():
    image = np.random.default_rng(0).random((100, 100)).astype(np.float32)
    image[5, 5] = 1000
    found = example_of(Sample(Image(image), InstanceMap(np.ones(image.shape, np.int32))))
    assert found.span[1] < 1.01


def test_few_bright_specks_are_a_range_all_the_same():
    image = np.zeros((100, 100), np.uint16)
    image[5, 5] = 1000
    assert span_of(Image(image)) == (0.0, 1000.0)


def test_a_large_image_is_looked_at_in_part_and_gives_nearly_the_same():
    image = np.random.default_rng(0).random((2100, 1500)).astype(np.float32)
    assert span_of(Image(image)) == pytest.approx(tuple(np.percentile(image, (1, 99.8))), abs=0.002)


def test_gamma_leaves_what_lies_below_the_range_and_has_no_step_there():
    shares = np.linspace(-0.5, 1.5, 2001, dtype=np.float32)[None, :, None]
    example = example_of(Sample(Image(shares[..., 0]), InstanceMap(np.ones((1, 2001), np.int32))))
    found = gamma.apply({"exponent": 1.5}, type(example)(shares, span=(0.0, 1.0))).image.ravel()
    below = shares.ravel() < 0
    np.testing.assert_array_equal(found[below], shares.ravel()[below])
    np.testing.assert_allclose(found[~below], shares.ravel()[~below].astype(np.float64) ** 1.5, atol=1e-6)
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("content", ["grey", "fluorescence", "histology", "colour"])
@pytest.mark.parametrize("window", [(48, 48), (8, 48, 48)])
def test_every_kind_of_picture_goes_through_its_chain(content, window):
    channels = 3 if content in ("histology", "colour") else 1
    axes = ("yx" if len(window) == 2 else "zyx") + "c"
    pixels = np.random.default_rng(0).normal(0.4, 0.3, (*window, channels)).astype(np.float32)
    example = example_of(Sample(Image(pixels, axes=axes), InstanceMap(np.ones(window, np.int32), axes=axes[:-1])))
    chain = chain_of([one.step for one in default_chain(channels=channels, window=window, content=content)])
    low, high = pixels.min(), pixels.max()
    for seed in range(12):
        drawn = chain.draw(generator(seed), Frame(window, channels))
        found = apply(drawn, example, shape=window, centre=tuple(n // 2 for n in window)).image
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        assert low - 1 < found.min() <= found.max() < 2 * high + 1


def test_what_pictures_show():
    assert content_of([Image(data.immunohistochemistry(), axes="yxc")])[0] == "histology"
    assert content_of([Image(data.astronaut(), axes="yxc")])[0] == "colour"
    assert content_of([Image(data.coins())])[0] == "grey"
    assert content_of([Image(np.repeat(data.coins()[..., None], 3, -1), axes="yxc")] * 3)[0] == "grey"
    nuclei = np.zeros((64, 64, 3), np.uint8)
    nuclei[10:20, 10:20, 2] = 200
    assert content_of([Image(nuclei, axes="yxc")])[0] == "fluorescence"
    assert content_of([Image(np.zeros((8, 8, 4), np.uint16), axes="yxc")])[0] == "fluorescence"
    mixed = content_of([Image(data.immunohistochemistry(), axes="yxc"), Image(nuclei, axes="yxc")])
    assert mixed[0] == "colour"
    assert "1 histology" in mixed[1]


def test_the_steps_of_the_how_to_are_sound():
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "check.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in chain_of(load(text)).steps] == ["flips", "affine", "gamma", "gaussian_noise"]
