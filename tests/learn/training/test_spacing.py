"""Volumes whose planes are farther apart than their pixels: each axis has its own scale, and spacing means what it says."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.learn.training.tiny import recipe  # noqa: E402

from microtome.core.errors import RecipeError  # noqa: E402
from microtome.core.events import collect_warnings  # noqa: E402
from microtome.core.raster import Image, InstanceMap  # noqa: E402
from microtome.core.result import Sample  # noqa: E402
from microtome.learn.augment.example import example_of  # noqa: E402
from microtome.learn.objectives.teach import mask_of  # noqa: E402
from microtome.learn.training.defaults import settle  # noqa: E402
from microtome.learn.training.events import Chosen, Finished, Validated  # noqa: E402
from microtome.learn.training.look import look_at  # noqa: E402
from microtome.learn.training.precision import choose  # noqa: E402
from microtome.learn.training.prepare import Prepare  # noqa: E402
from microtome.learn.training.recipe import TrainingRecipe  # noqa: E402
from microtome.learn.training.train import train  # noqa: E402
from microtome.learn.training.windows import scores_of  # noqa: E402
from microtome.run.bundle import open_bundle  # noqa: E402
from microtome.run.pipeline import segment  # noqa: E402
from microtome.run.tiles.whole import Windows  # noqa: E402
from microtome.targets.heads import Head  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def volume(number=0, spacing=(2.0, 0.5, 0.5), unit="um"):
    """Four blocks."""
    rng = np.random.default_rng(number)
    labels = np.zeros((8, 32, 32), np.int32)
    for k in range(4):
        y, x = 4 + 16 * (k // 2), 4 + 16 * (k % 2)
        labels[1:7, y : y + 9, x : x + 9] = k + 1
    pixels = np.where(labels > 0, 180, 30) + rng.integers(0, 9, labels.shape)
    place = {"axes": "zyx", "spacing": spacing, "unit": unit if spacing else "px"}
    return Sample(Image(pixels.astype(np.uint8), **place), InstanceMap(labels, **place), f"stack {number}", f"stack {number}")


def settled(*given, **said):
    return settle(TrainingRecipe(**said), look_at(given), ("grey", ""), accelerated=False)


def test_each_axis_is_resized_by_its_own_scale_and_its_spacing_with_it():
    seen = Prepare((), (2.0, 1.0, 0.5))(volume())
    assert seen.image.shape == seen.truth.shape == (16, 32, 16)
    assert seen.image.spacing == seen.truth.spacing == (1.0, 0.5, 1.0)


def test_windows_and_epochs_follow_each_axis():
    plain, _ = settled(volume(), scale=1.0)
    near, _ = settled(volume(), scale=[4.0, 1.0, 1.0])
    assert plain.window == [8, 32, 32]
    assert near.window == [32, 32, 32]
    with pytest.raises(RecipeError, match=r"scale: found \[2\.0, 1\.0\], expected one number, or 3"):
        settled(volume(), scale=[2.0, 1.0])


@pytest.mark.parametrize("wrong", [0, -1, [1, 0, 1], [], "large", float("inf"), [1.0]])
def test_a_scale_that_is_none_is_refused(wrong):
    with pytest.raises(RecipeError, match=r"train\.scale: .*expected a number above zero, or a list of one for each axis"):
        TrainingRecipe.from_document({"microtome": 1, "train": {"scale": wrong}})


def test_planes_that_are_far_apart_are_left_so_with_a_word():
    recipe, choices = settled(volume())
    assert recipe.scale == 1
    assert "2 x 0.5 x 0.5 um" in next(choice.reason for choice in choices if choice.place == "scale")
    near = settled(volume(spacing=(0.7, 0.5, 0.5)))[1]
    assert next(choice.reason for choice in near if choice.place == "scale") == "pixels as they are"


def test_images_that_differ_in_spacing_are_told_by_name_also_across_units():
    with collect_warnings() as said:
        look = look_at([volume(0), volume(1), volume(2, (1.0, 0.2, 0.2))])
    assert "stack 2 has 1 x 0.2 x 0.2 um, stack 0 2 x 0.5 x 0.5 um" in said[0]
    assert look.spacing == (2.0, 0.5, 0.5)
    with collect_warnings() as said:
        assert look_at([volume(0), volume(1), volume(2, (0.002, 0.0005, 0.0005), "mm")]).spacing == pytest.approx((2.0, 0.5, 0.5))
    assert not said


def test_lengths_with_a_unit_are_those_of_the_image_in_every_window():
    sample = volume()
    mask = mask_of(example_of(sample), sample.truth.classes)
    assert (mask.spacing, mask.unit) == ((2.0, 0.5, 0.5), "um")


class Constant(torch.nn.Module):
    def forward(self, images):
        return {"offset": torch.full((len(images), 3, *images.shape[2:]), 4.0)}


class Offsets:
    """An objective whose network says 4 pixels along each axis."""

    heads = (Head("offset", ("dz", "dy", "dx"), "none"),)

    def scores(self, network, images):
        return network(images)["offset"]


def test_offsets_are_sized_back_in_validation_as_they_are_in_the_model():
    windows = Windows((8, 16, 16), (0, 0, 0), scale=(2.0, 0.5, 1.0))
    found = scores_of(Offsets(), Constant(), volume().image, windows, choose("cpu", "float32"), torch.device("cpu"))
    assert found.shape == (8, 32, 32)
    np.testing.assert_allclose(found.pixels[3, 7, 9], [2.0, 8.0, 4.0])  # enlarged twice: 4 pixels there are 2 here


def test_the_model_has_the_scale_of_each_axis_and_does_what_was_validated(tmp_path):
    pairs = [volume(number) for number in range(4)]
    given = recipe(network={"unet": {"depth": 2, "root": 4, "dimensions": 3}}, window=[16, 32, 32], scale=[2, 1, 1], batch=2,
                   target={"centre_offset": {"sigma": "2 um"}}, budget={"steps": 2}, sampling={"windows": 2},
                   validation={"every": 2, "pictures": 0})  # fmt: skip
    events = list(train(pairs, out=tmp_path, recipe=given, allow_dropped=True))
    chosen = next(event for event in events if isinstance(event, Chosen))
    assert chosen.document["train"]["scale"] == [2, 1, 1]
    assert any(isinstance(event, Validated) for event in events)
    assert isinstance(events[-1], Finished)
    bundle = open_bundle(tmp_path / "model.zip")
    assert next(use.settings["scale"] for use in bundle.recipe.steps if use.step == "network") == [2, 1, 1]
    assert segment(pairs[0].image, bundle.recipe).mask.shape == (8, 32, 32)
    assert bundle.facts["spacing"] == [2.0, 0.5, 0.5]
