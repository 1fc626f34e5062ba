"""A training for each fold: every image judged by the model that did not see it, and all models as one."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.learn.training.tiny import discs, recipe, samples, semantic_samples  # noqa: E402

from microtome import evaluate, segment  # noqa: E402
from microtome.core.errors import InputError, RecipeError  # noqa: E402
from microtome.core.raster import Image, SemanticMap  # noqa: E402
from microtome.core.result import Sample  # noqa: E402
from microtome.learn.training.events import Chosen, Finished, Planned, Stepped, Stopped  # noqa: E402
from microtome.learn.training.folds import Folded, train_folds  # noqa: E402
from microtome.learn.training.several import OfPart  # noqa: E402
from microtome.learn.training.train import train  # noqa: E402
from microtome.run.bundle import open_bundle, verify  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def plates():
    """Twelve images of six plates."""
    return [Sample(one.image, one.truth, group=f"plate {number // 2}", name=one.name) for number, one in enumerate(samples(12))]


BRIEF = recipe(budget={"steps": 80}, validation={"every": 40, "pictures": 0})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two folds, broken off in the second one and gone on with."""
    out = tmp_path_factory.mktemp("folds") / "run"
    second = False

    def in_the_second():
        return second

    first = []
    for one in train_folds(plates(), out=out, k=2, recipe=BRIEF, stop=in_the_second):
        first.append(one)
        second = one.part == "fold 2 of 2" and isinstance(one.event, Stepped)
    kept = (out / "fold-1" / "model.zip").read_bytes()
    return out, first, list(train_folds(plates(), out=out, k=2, resume=True)), kept


def of(told, part):
    return [one.event for one in told if isinstance(one, OfPart) and one.part == part]


def test_a_run_that_was_stopped_goes_on_and_finished_folds_are_left_as_they_are(run):
    out, first, second, kept = run
    assert isinstance(first[-1].event, Stopped)
    assert first[-1].event.step < 80
    assert [type(event) for event in of(second, "fold 1 of 2")] == [Finished]
    assert (out / "fold-1" / "model.zip").read_bytes() == kept
    assert next(event for event in of(second, "fold 2 of 2") if isinstance(event, Stepped)).step > first[-1].event.step
    assert isinstance(second[-1], Folded)


def test_every_image_is_held_out_once_and_groups_stay_together(run):
    out, _, _, _ = run
    rows = [line.split(",") for line in (out / "folds.csv").read_text().splitlines()[1:]]
    assert Counter(name for name, _, _ in rows) == {one.name: 1 for one in plates()}
    assert len({(group, fold) for _, group, fold in rows}) == 6
    for number in (1, 2):
        split = [line.split(",")[:3] for line in (out / f"fold-{number}" / "split.csv").read_text().splitlines()[1:]]
        held = {name for name, _, fold in rows if fold == str(number)}
        assert {name for name, _, part in split if part == "val"} == held
        assert {name for name, _, part in split if part == "train"} == {name for name, _, _ in rows} - held


def test_the_pooled_score_is_that_of_the_models_that_did_not_see_the_image(run):
    out, _, second, _ = run
    pooled = second[-1].pooled
    fold_of = {one.name: one.fold for one in pooled.images}
    after = open_bundle(out / "model.zip").recipe.steps[2:]
    assert after[0].step == "interior_border"
    each = []
    for one in plates():
        model = open_bundle(out / f"fold-{fold_of[one.name]}" / "model.zip").recipe
        alike = model.model_copy(update={"steps": (*model.steps[:2], *after)})
        each.append(evaluate(segment(one.image, alike, engine="onnxruntime").mask, one.truth, task="instance")["ap_50"])
    interval = pooled.scores["ap_50"]
    assert interval.mean == pytest.approx(np.mean(each))
    assert [one.score for one in sorted(pooled.images, key=lambda one: int(one.name.split()[1]))] == pytest.approx(each, abs=1e-6)
    assert interval.low <= interval.mean <= interval.high
    assert interval.mean > 0.3


def test_the_networks_of_all_folds_are_one_model_of_the_mean_of_their_scores(run):
    out, _, second, _ = run
    assert verify(out / "model.zip").sound
    bundle = open_bundle(out / "model.zip")
    network = next(use for use in bundle.recipe.steps if use.step == "network")
    assert len(network.settings["weights"]) == len(network.settings["sha256"]) == 2
    decoder = bundle.recipe.steps[bundle.recipe.steps.index(network) + 1]
    assert dict(decoder.settings) == dict(second[-1].pooled.settings)
    image, truth = discs(99)
    found = evaluate(segment(image, bundle.recipe).mask, truth, task="instance")["ap_50"]
    alone = [evaluate(segment(image, open_bundle(out / f"fold-{n}" / "model.zip").recipe).mask, truth, task="instance")["ap_50"]
             for n in (1, 2)]  # fmt: skip
    assert found >= min(alone)


def test_the_card_says_how_it_was_judged(run):
    out, _, second, _ = run
    bundle = open_bundle(out / "model.zip")
    pooled = second[-1].pooled
    assert bundle.facts["ap_50"] == round(pooled.scores["ap_50"].mean, 4)
    assert (bundle.facts["folds"], bundle.facts["images"], bundle.facts["groups"]) == (2, 12, 6)
    assert bundle.facts["interval"][0] <= bundle.facts["ap_50"] <= bundle.facts["interval"][1]
    assert "network that did not see it" in bundle.card
    told = json.loads((out / "folds.json").read_text())
    assert told["pooled"]["mean"] == pooled.scores["ap_50"].mean
    assert [fold["folder"] for fold in told["folds"]] == ["fold-1", "fold-2"]
    assert len(told["images"]) == 12


def test_later_folds_are_settled_as_the_first(run):
    _, first, _, _ = run
    chosen = [next(event for event in of(first, f"fold {n} of 2") if isinstance(event, Chosen)).document["train"] for n in (1, 2)]
    assert chosen[0] == chosen[1]
    second = next(event for event in of(first, "fold 2 of 2") if isinstance(event, Chosen))
    assert next(one.reason for one in second.choices if one.place == "loss").startswith("as in fold-1: each pixel counts")


def test_other_images_than_at_the_beginning_are_refused(run):
    out, _, _, _ = run
    with pytest.raises(InputError, match="are not those that were divided"):
        train_folds(plates()[:-1], out=out, k=2, resume=True)
    with pytest.raises(InputError, match="was begun with 2 folds, not 3"):
        train_folds(plates(), out=out, k=3, resume=True)
    with pytest.raises(InputError, match="holds runs already"):
        train_folds(plates(), out=out, k=2)


def test_what_cannot_be_divided_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match="6 groups cannot make 7 folds"):
        train_folds(plates(), out=tmp_path / "a", k=7)
    with pytest.raises(RecipeError, match="folds: found 1"):
        train_folds(plates(), out=tmp_path / "a", k=1)
    with pytest.raises(InputError, match="nothing to go on with"):
        train_folds(plates(), out=tmp_path / "a", k=2, resume=True)
    assert not (tmp_path / "a").exists()


def test_a_class_that_only_one_fold_has_is_a_class_of_all_networks(tmp_path):
    rare = semantic_samples(6)
    pixels = rare[2].truth.pixels.astype(np.uint8)
    pixels[:9, :9] = 2
    rare[2] = Sample(rare[2].image, SemanticMap(pixels), rare[2].group, rare[2].name)
    told = list(train_folds(rare, out=tmp_path, k=2, recipe=recipe(budget={"steps": 2}, validation={"pictures": 0})))
    assert isinstance(told[-1], Folded)
    assert [entry["value"] for entry in open_bundle(tmp_path / "model.zip").facts["classes"]] == [0, 1, 2]
    assert set(told[-1].pooled.scores) >= {"miou_set", "pa"}


def test_the_channel_of_the_model_they_begin_with_holds_for_all_and_for_the_ensemble(tmp_path):
    two = [replace(one, image=Image(np.stack([255 - one.image.pixels, one.image.pixels], -1), axes="yxc")) for one in plates()]
    few = recipe(budget={"steps": 2}, validation={"every": 2, "pictures": 0})
    own = {"microtome": 1, "train": {key: value for key, value in few["train"].items() if key not in ("network", "scale")}}
    list(train(two, out=tmp_path / "first", recipe=recipe(budget={"steps": 2}, validation={"every": 2, "pictures": 0}, channel=1)))
    model = tmp_path / "first" / "model.zip"
    folded = list(train_folds(two, out=tmp_path / "run", k=2, recipe=own, start=model))[-1]
    assert open_bundle(folded.bundle).recipe.input.channel == 1
    assert json.loads((tmp_path / "run" / "folds.json").read_text())["from"] == str(model)
    with pytest.raises(InputError, match=r"these runs were begun from .*model\.zip, not from nuclei; leave --from away"):
        train_folds(two, out=tmp_path / "run", k=2, resume=True, start="nuclei")


def test_a_time_is_a_number_of_steps_for_all_folds(tmp_path, monkeypatch):
    monkeypatch.setattr("microtome.learn.training.finish.write_model", lambda path, *_: (path.write_bytes(b"a model"), path)[1])
    planned = []

    def after_two():
        return len(planned) == 2

    for one in train_folds(plates(), out=tmp_path, k=2, recipe=recipe(budget={"time": "24s"}, validation={"pictures": 0}), stop=after_two):
        if isinstance(one.event, Planned):
            planned.append(one.event)
    assert planned[0].steps == planned[1].steps
    assert "24s" in planned[0].reason
