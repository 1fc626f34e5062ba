"""A trained model's temperature and its interval about counts, end to end, on images that take seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.learn.training.tiny import discs, recipe, samples, semantic_samples  # noqa: E402

from microtome import segment  # noqa: E402
from microtome.core.classes import ClassTable  # noqa: E402
from microtome.core.raster import ScoreMap  # noqa: E402
from microtome.learn.training.calibration import Temperatures, Tempered, fit_temperatures  # noqa: E402
from microtome.learn.training.train import train  # noqa: E402
from microtome.run.bundle import open_bundle, verify  # noqa: E402
from microtome.run.count_interval import count_interval  # noqa: E402
from microtome.run.steps.network import network  # noqa: E402
from microtome.targets import catalogue as targets  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Of 26 images 10 are held out: enough for an interval, and for one by the others of each."""
    folder = tmp_path_factory.mktemp("run")
    list(train(samples(26), out=folder, recipe=recipe(budget={"steps": 60}, validation={"every": 60, "pictures": 0, "share": 0.4})))
    return folder


def test_the_card_says_how_sure_the_model_is_and_the_picture_is_there(trained):
    told = open_bundle(trained / "model.zip").facts["calibration"]["interior_border"]
    assert told["nll"][1] <= told["nll"][0]
    assert (trained / "reliability.svg").read_text().startswith("<svg")
    assert f"temperature {told['temperature']:g}" in (trained / "reliability.svg").read_text()


def test_the_recipe_holds_the_temperature_where_it_is_not_1(trained):
    bundle = open_bundle(trained / "model.zip")
    settings = next(use.settings for use in bundle.recipe.steps if use.step == "network")
    assert settings.get("temperature", 1) == bundle.facts["calibration"]["interior_border"]["temperature"]
    assert verify(trained / "model.zip").sound


def test_the_interval_about_counts_reaches_the_table(trained, tmp_path):
    from microtome.run.pipeline import run

    bundle = open_bundle(trained / "model.zip")
    interval = count_interval(bundle.facts)
    assert (interval.level, interval.images) == (0.9, 10)
    image, _ = discs(99)
    list(run(bundle.recipe, [image], out=tmp_path, executor="serial", counts=interval))
    names, row = (line.split(",") for line in (tmp_path / "images.csv").read_text().splitlines())
    told = dict(zip(names, row, strict=True))
    assert (int(told["count_low"]), int(told["count_high"])) == interval.around(int(told["count"]))


def test_a_network_that_is_twice_too_sure_gets_temperature_2():
    """Its logits are twice those that the labels were drawn by."""
    target = targets.load("classes")
    table = ClassTable.binary()
    rng = np.random.default_rng(0)
    pairs = []
    for number, one in enumerate(semantic_samples(6)):
        logit = rng.normal(0, 1.5, one.truth.shape)
        drawn = (rng.random(one.truth.shape) < 1 / (1 + np.exp(-logit))).astype(np.uint8)
        pairs.append(replace(one, image=replace(one.image, pixels=logit), truth=one.truth.with_pixels(drawn), group=f"g{number}"))

    class Twice(torch.nn.Module):
        def forward(self, images):
            return {"classes": torch.cat([0 * images, 2 * images], dim=1)}

    def scores(asked, image):
        given = torch.from_numpy(np.ascontiguousarray(image.pixels, np.float32))[None, None]
        return ScoreMap(asked(given)["classes"].softmax(1)[0].movedim(0, -1).numpy(), axes="yxc")

    found = fit_temperatures(Twice(), len(pairs), pairs.__getitem__, scores, target.heads(table, 2), target, table)
    assert found.by_head["classes"] == pytest.approx(2, rel=0.05)
    assert found.setting(target.heads(table, 2)) == found.by_head["classes"]


def test_of_one_group_the_temperature_stays_1_and_nothing_is_divided():
    target = targets.load("classes")
    one = semantic_samples(1)[0]
    sure = ScoreMap(np.stack([np.full(one.truth.shape, 0.9), np.full(one.truth.shape, 0.1)], -1), axes="yxc")
    found = fit_temperatures(
        torch.nn.Identity(), 1, [one].__getitem__, lambda *_: sure, target.heads(one.truth.classes, 2), target, one.truth.classes
    )
    assert found.by_head == {}
    assert found.found["classes"].temperature == 1
    asked = torch.nn.Identity()
    assert found.applied(asked) is asked


def test_a_target_without_probabilities_has_no_temperature():
    target = targets.load("signed_distance")
    pairs = samples(2)
    found = fit_temperatures(
        torch.nn.Identity(), 2, pairs.__getitem__, lambda _, image: ScoreMap(image.pixels.astype(np.float32)[..., None], axes="yxc"),
        target.heads(ClassTable.binary(), 2), target, ClassTable.binary(),
    )  # fmt: skip
    assert found.found == {}
    assert found.facts() == {}


def test_coarser_outputs_and_those_without_a_temperature_stay():
    class Two(torch.nn.Module):
        def forward(self, images):
            return {"a": images, "a_2": images, "b": images}

    outputs = Tempered(Two(), {"a": 2.0})(torch.full((1, 1, 2, 2), 4.0))
    assert [float(outputs[name].mean()) for name in ("a", "a_2", "b")] == [2.0, 4.0, 4.0]
    heads = targets.load("centre_offset").heads(ClassTable.binary(), 2)
    assert Temperatures({"foreground": 1.5}).setting(heads) == [1.5, 1.0, 1.0]
    assert Temperatures().setting(heads) == 1.0


def test_the_bundle_gives_the_probabilities_that_the_temperature_was_fitted_to(trained):
    """Dividing in the step is softmax(log p / T) of what the step gives without."""
    recipe_ = open_bundle(trained / "model.zip").recipe
    settings = next(dict(use.settings) for use in recipe_.steps if use.step == "network")
    image, _ = discs(98)
    seen = image
    from microtome.run import catalogue

    for use in recipe_.steps:
        if use.step == "network":
            break
        seen = catalogue.load(use.step)(seen, **use.settings)
    checked = catalogue.load("network").check({**settings, "temperature": 1})
    plain = network(seen, **checked).pixels.astype(np.float64)
    cooler = network(seen, **{**checked, "temperature": 2.5}).pixels
    expected = plain ** (1 / 2.5)
    np.testing.assert_allclose(cooler, expected / expected.sum(-1, keepdims=True), atol=1e-5)
    assert segment(image, recipe_).mask.shape == image.shape
