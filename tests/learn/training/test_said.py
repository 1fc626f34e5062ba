"""What is said wrongly of a training is told by its place, before an image is read."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from microtome.core.errors import RecipeError  # noqa: E402
from microtome.learn.training.recipe import TrainingRecipe  # noqa: E402
from microtome.learn.training.train import train  # noqa: E402


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"network": {"unet": {"depth": "four"}}}, r"network\.depth: .*'four'"),
        ({"network": {"unet": 4}}, r"network: found \{'unet': 4\}, expected one name with its settings"),
        ({"network": {}}, r"network: found \{\}, expected one name"),
        ({"network": {"unet": {}, "fcn_same": {}}}, r"network: .* expected one name"),
        ({"target": {"interior_boarder": {}}}, r"target: unknown target 'interior_boarder'.*interior_border"),
        ({"window": [0, 64]}, r"window: found \[0, 64\], expected a side above zero"),
        ({"sampling": {"windows": "many"}}, r"sampling\.windows: .*'many'"),
        ({"sampling": {"rares": 0.5}}, r"sampling\.rares: Sampling has no such setting.*rare"),
        ({"pixel_weights": {"sigmas": 3}}, r"pixel_weights\.sigmas: weight_map has no such setting.*sigma"),
        ({"loss": ["dise"]}, r"loss.*'dise'.*dice"),
        ({"loss": {"classes": [["dice", 1, {"sqared": True}]]}}, r"loss\.classes.*sqared.*squared"),
        ({"augment": ["flip"]}, r"augment.*'flip'.*flips"),
        ({"mix": ["mixup"]}, r"mix.*'mixup'"),
        ({"optimiser": {"adam": {}}}, r"optimiser: unknown optimiser 'adam'.*adamw"),
        ({"optimiser": {"adamw": {"betas": [0.9, 1.0]}}}, r"optimiser: Invalid beta"),
        ({"schedule": {"cosine": {"warmup": 0.1}}}, r"schedule\.cosine\.warmup.*warm_up"),
        ({"refine": ["fill_hole"]}, r"unknown step 'fill_hole'.*fill_holes"),
        ({"refine": [{"drop_small": {"least": 4}}]}, r"refine\[0\]\.drop_small\.least: drop_small has no such"),
        ({"prepare": ["normalise", {"gaussian": {"sigma": -1}}]}, r"prepare\[1\]\.gaussian\.sigma"),
    ],
)
def test_it_is_told_by_its_place(tmp_path, said, told):
    def unread():
        raise AssertionError("an image was read")
        yield

    with pytest.raises(RecipeError, match=told):
        list(train(unread(), out=tmp_path, recipe=TrainingRecipe(**said)))
