"""A search that finds what is there to be found, tells it honestly, and goes on where it stopped."""

import csv
import json

import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import collect_warnings
from microtome.learn.data.dataset import Dataset, Entry
from microtome.learn.tune import score as scoring
from microtome.learn.tune.search import best_of, search
from microtome.learn.tune.space import search_space
from microtome.learn.tune.tune import ALL, Chosen, Tried, Tuned, tune
from microtome.run.recipe import Recipe

RAW = Recipe.of(("gaussian", {"sigma": 0}), ("threshold", {"value": 90}), "connected_components")
SEARCH = {"ranges": {"gaussian.sigma": (0, 4)}, "only": ["gaussian"], "trials": 12, "folds": 3, "workers": 1}


def last(events):
    return list(events)[-1]


@pytest.fixture(scope="module")
def tuned(disc_set, tmp_path_factory):
    out = tmp_path_factory.mktemp("tuned") / "out"
    events = list(tune(disc_set, RAW, out=out, **SEARCH))
    return out, events


def test_it_finds_that_noise_wants_smoothing(tuned):
    _, events = tuned
    result = events[-1]
    assert isinstance(result, Tuned)
    assert result.start_mean.mean < 0.3  # the noise shatters the discs
    assert result.unseen.mean > 0.9
    assert result.gain.low > 0.5
    assert result.settings["gaussian.sigma"] > 1
    assert result.worth["gaussian.sigma"] == pytest.approx(np.mean(result.chosen_scores) - result.start_mean.mean)
    assert result.recipe.steps[0].settings["sigma"] == result.settings["gaussian.sigma"]


def test_every_image_is_judged_by_a_choice_that_did_not_see_its_group(tuned, disc_set):
    _, events = tuned
    chosen = {event.part: event for event in events if isinstance(event, Chosen)}
    assert list(chosen) == ["without fold 1", "without fold 2", "without fold 3", ALL]
    assert chosen[ALL].unseen is None
    out, _ = tuned
    rows = list(csv.DictReader((out / "images.csv").open()))
    folds_of = {}
    for row in rows:
        folds_of.setdefault(row["group"], set()).add(row["fold"])
    assert len(folds_of) == 6
    assert all(len(folds) == 1 for folds in folds_of.values())
    inside = [event.trial.seen for event in events if isinstance(event, Tried) and event.trial.number == 0]
    assert inside == [8, 8, 8, 12]


def test_what_it_leaves_on_disk_says_the_same(tuned):
    out, events = tuned
    told = json.loads((out / "tune.json").read_text())
    assert told["unseen"] == events[-1].unseen._asdict()
    assert told["settings"][0]["setting"] == "gaussian.sigma"
    assert len(told["settings"][0]["chosen_by_folds"]) == 3
    assert Recipe.read(out / "recipe.yaml").document() == events[-1].recipe.document()
    trials = list(csv.DictReader((out / "trials.csv").open()))
    assert {row["part"] for row in trials} == {"without fold 1", "without fold 2", "without fold 3", ALL}


def test_a_stopped_search_goes_on_to_the_same_result(tuned, disc_set, tmp_path, monkeypatch):
    whole, events = tuned
    out = tmp_path / "stopped"
    going = tune(disc_set, RAW, out=out, **SEARCH)
    for _ in range(20):
        next(going)
    going.close()
    lines = (out / "scores.jsonl").read_text().splitlines()
    (out / "scores.jsonl").write_text("\n".join([*lines[:-1], lines[-1][:20]]))  # a line cut short, as a crash leaves it
    scored = []
    monkeypatch.setattr(scoring, "_score_one", lambda order, real=scoring._score_one: scored.append(order.place) or real(order))
    again = last(tune(disc_set, RAW, out=out, resume=True, **SEARCH))
    assert again.settings == events[-1].settings
    assert again.unseen_scores == events[-1].unseen_scores
    assert len(scored) == len((whole / "scores.jsonl").read_text().splitlines()) - (len(lines) - 1)  # nothing was scored twice


def test_the_result_does_not_depend_on_the_workers(tuned, disc_set):
    _, events = tuned
    result = last(tune(disc_set, RAW, **{**SEARCH, "workers": 2}))
    assert result.settings == events[-1].settings
    assert result.unseen_scores == events[-1].unseen_scores


def test_another_search_in_the_same_folder_is_refused(tuned, disc_set):
    out, _ = tuned
    with pytest.raises(InputError, match="holds a search already"):
        last(tune(disc_set, RAW, out=out, **SEARCH))
    with pytest.raises(InputError, match=r"another one \(trials, seed differ\)"):
        last(tune(disc_set, RAW, out=out, resume=True, **{**SEARCH, "trials": 13, "seed": 4}))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"folds": 7}, "7 folds of 6 groups: choose from 2 to 6"), ({"metric": "ap50"}, "did you mean"), ({"trials": 0}, "at least one")],
)
def test_wrong_use_is_named(disc_set, options, message):
    with pytest.raises((InputError, RecipeError), match=message):
        last(tune(disc_set, RAW, **{**SEARCH, **options}))


def test_images_without_labels_are_told(disc_set):
    bare = Dataset(disc_set.root, "", (*disc_set.entries, Entry("bare", disc_set.entries[0].images)), "instance")
    with collect_warnings() as said:
        next(tune(bare, RAW, **SEARCH))
    assert "1 of 13 images have no labels" in said[0]


def test_an_image_on_which_a_recipe_fails_scores_nothing_and_is_told(disc_set):
    channel = Recipe.from_document({**RAW.document(), "input": {"channel": 3}})
    scorer = scoring.Scorer(disc_set, "ap_50")
    assert scorer(channel, [0]) == [0.0]
    assert "there are 1" in scorer.failed[disc_set.entries[0].name]


# The search alone, on scores that are known


def known(values):
    """Scores of 100 images: what a sigma is worth, and the images' own difficulty."""
    difficulty = np.linspace(-0.1, 0.1, 100)

    def score(recipe, places):
        calls.append(len(places))
        return [values(float(recipe.steps[0].settings["sigma"])) + difficulty[place] for place in places]

    calls = []
    return score, calls


def test_hopeless_recipes_are_stopped_and_the_best_is_whole():
    score, calls = known(lambda sigma: 1 - abs(sigma - 2))
    knobs = search_space(RAW, only=["gaussian"])
    trials = list(search(RAW, knobs, score, range(100), trials=40, seed=0))
    best = best_of(trials)
    assert abs(best.settings["gaussian.sigma"] - 2) < 0.2
    assert best.whole
    assert any(not trial.whole for trial in trials)
    assert sum(calls) < 41 * 100 / 2
    stopped = [trial for trial in trials if not trial.whole]
    for trial in stopped:  # what it would have scored is told, although it saw a third of the images
        assert trial.score == pytest.approx(1 - abs(trial.settings["gaussian.sigma"] - 2), abs=0.01)


def test_what_does_not_help_goes_back_to_where_it_was():
    recipe = Recipe.of(("gaussian", {"sigma": 1}), ("otsu", {"classes": 3}), "connected_components")
    score, _ = known(lambda sigma: 1 - abs(sigma - 2))
    best = best_of(list(search(recipe, search_space(recipe), score, range(100), trials=30, seed=1)))
    assert best.settings["otsu.classes"] == 3
    assert best.settings["otsu.foreground"] == "bright"
    assert best.settings["gaussian.sigma"] != 1
