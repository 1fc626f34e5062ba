"""A search that finds what is there to be found, tells it honestly, and goes on where it stopped."""

import csv
import json
import os
import platform
from dataclasses import replace

import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError, RunError
from microtome.core.events import collect_warnings
from microtome.core.objects import Object, Objects
from microtome.learn.data.dataset import Annotated, Dataset, Entry
from microtome.learn.data.find import find_dataset
from microtome.learn.tune import score as scoring
from microtome.learn.tune.fingerprint import fingerprint
from microtome.learn.tune.outputs import HELD
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
    monkeypatch.setattr(
        scoring, "_score_one", lambda order, real=scoring._score_one: scored.append(order.dataset.entries[0].name) or real(order)
    )
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
    [
        ({"folds": 7}, "7 folds of 6 groups: choose from 2 to 6"),
        ({"metric": "ap50"}, "did you mean"),
        ({"metric": "voi_split"}, "voi_split: lower is better"),
        ({"metric": "count_error"}, "count_error: nearer to 0 is better"),
        ({"metric": "panoptic"}, "stands for pq, sq, rq, .* one of them"),
        ({"metric": "coco_ap"}, "needs scores"),
        ({"metric": "miou_image"}, "not for task|for task 'instance'"),
        ({"trials": 0}, "at least one"),
        ({"workers": 0}, "at least one"),
    ],
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


def test_metrics_beyond_the_usual_ones_can_be_searched_for(disc_set):
    scorer = scoring.Scorer(disc_set, "pq")
    assert 0 < scorer(RAW, [0])[0] < 1


def test_a_recipe_that_fails_everywhere_is_refused_with_its_reason(disc_set):
    metres = Recipe.of(("gaussian", {"sigma": "2 um"}), "otsu", "connected_components")  # the images have no spacing
    with pytest.raises(InputError, match=r"fails on all 12 images; on .*spacing"):
        last(tune(disc_set, metres, **{**SEARCH, "ranges": None}))


def classed(tmp_path, void):
    """Two groups of discs as class 1, with a border of class 9 that nothing predicts."""
    from PIL import Image as Picture

    random = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for number in range(4):
        mask = np.zeros((40, 40), np.uint8)
        mask[12 + number : 24, 10:30] = 1
        pixels = np.clip(60 + 90 * mask + random.normal(0, 4, mask.shape), 0, 255).astype(np.uint8)
        mask[:6] = 9
        Picture.fromarray(pixels).save(tmp_path / "images" / f"p{number % 2}_{number}.png")
        Picture.fromarray(mask).save(tmp_path / "masks" / f"p{number % 2}_{number}.png")
    return find_dataset(tmp_path, kind="semantic", group=r"(p\d)_", ignore=void)


@pytest.mark.parametrize(("void", "score"), [(9, 1.0), (None, 0.6)])
def test_pixels_that_are_not_labelled_do_not_count(tmp_path, void, score):
    recipe = Recipe.of(("gaussian", {"sigma": 0.5}), "otsu")
    result = last(tune(classed(tmp_path, void), recipe, trials=1, folds=2, workers=1))
    assert result.metric == "miou_image"
    assert (result.start_mean.mean > 0.98) if score == 1 else (result.start_mean.mean < 0.7)  # background, class 1, and class 9 with 0


def test_an_image_that_has_no_such_score_ends_the_search_at_once(tmp_path):
    with pytest.raises(InputError, match=r"images/p0_0: iou_7 does not exist there .*\(4 of 4 images\)"):
        next(tune(classed(tmp_path, 9), Recipe.of("otsu"), metric="iou_7", folds=2, workers=1))


def test_a_score_that_a_tried_recipe_lacks_is_0_and_told(tmp_path):
    dataset = classed(tmp_path, 9)
    scorer = scoring.Scorer(dataset, "precision")
    nothing = Recipe.of(("threshold", {"value": 255}))
    assert scorer(nothing, [0]) == [0.0]
    assert scorer.failed == {"images/p0_0": "precision does not exist there"}


def test_boxes_are_no_labels_to_search_with(tmp_path):
    dataset = classed(tmp_path, None)
    box = Annotated(tmp_path / "boxes.json", Objects((40, 40), (Object(1, given_box=(2, 2, 9, 9)),)))
    boxes = dataset.only([replace(entry, truth=box) for entry in dataset])
    with pytest.raises(InputError, match="the labels are boxes"):
        next(tune(replace(boxes, kind="instance"), RAW, folds=2, workers=1))
    some = replace(dataset.only([*dataset.entries[:3], *boxes.entries[3:]]), kind="instance")
    with collect_warnings() as said:
        next(tune(some, RAW, folds=2, workers=1))
    assert "1 of 4 images have objects of which only a box is known" in said[0]


@pytest.mark.parametrize("change", ["image", "labels", "task", "ignore", "groups"])
def test_a_search_on_other_data_is_not_resumed(tmp_path, change):
    (tmp_path / "data").mkdir()
    options = {"trials": 1, "folds": 2, "workers": 1, "metric": None, "out": tmp_path / "out"}
    dataset = classed(tmp_path / "data", 9)
    recipe = Recipe.of("gaussian", "otsu", "connected_components")
    last(tune(dataset, recipe, **options))
    if change in ("image", "labels"):
        path = dataset.entries[1].images[0] if change == "image" else dataset.entries[1].truth.path
        path.write_bytes(dataset.entries[0].truth.path.read_bytes())
    elif change == "groups":
        dataset = dataset.only([replace(entry, group=entry.name) for entry in dataset])
    else:
        dataset = find_dataset(dataset.root, kind="instance" if change == "task" else "semantic", group=r"(p\d)_")
    named = {"image": "images", "labels": "images", "ignore": "classes"}.get(change, change)
    with pytest.raises(InputError, match=f"the search there was another one .*{named}"):
        last(tune(dataset, recipe, resume=True, **options))


def test_the_same_names_in_another_search_are_read_anew(tmp_path):
    dataset = classed(tmp_path, 9)
    before = scoring.Scorer(dataset, "miou_image")(Recipe.of("otsu"), [0])
    dataset.entries[0].truth.path.write_bytes(dataset.entries[3].truth.path.read_bytes())
    assert scoring.Scorer(dataset, "miou_image")(Recipe.of("otsu"), [0]) != before


def test_workers_get_one_image_and_not_the_whole_set(disc_set, monkeypatch):
    sent = []
    monkeypatch.setattr(scoring, "_score_one", lambda order: (sent.append(len(order.dataset)), (0.5, ""))[1])
    scoring.Scorer(disc_set, "ap_50")(RAW, range(12))
    assert sent == [1] * 12


def test_annotations_of_one_folder_have_a_fingerprint_each(tmp_path):
    folder = tmp_path / "labels"
    folder.mkdir()
    image = tmp_path / "a.png"
    image.write_bytes(b"x")
    objects = [Objects((9, 9), (Object(1, given_box=(0, 0, 4, top)),)) for top in (4.0, 5.0)]
    first, second, again = (fingerprint(Entry("a", (image,), Annotated(folder, one))) for one in (*objects, objects[0]))
    assert first == again != second


def test_reasons_of_failure_survive_a_resumed_search(disc_set, tmp_path):
    channel = Recipe.from_document({**RAW.document(), "input": {"channel": 3}})
    first = scoring.Scorer(disc_set, "ap_50", journal=tmp_path / "scores.jsonl")
    first(channel, [0, 1])
    second = scoring.Scorer(disc_set, "ap_50", journal=tmp_path / "scores.jsonl")
    assert second(channel, [0, 1]) == [0.0, 0.0]
    assert second.failed == first.failed != {}


def test_one_search_at_a_time_in_a_folder(disc_set, tmp_path):
    going = tune(disc_set, RAW, out=tmp_path / "out", **SEARCH)
    next(going)
    with pytest.raises(RunError, match=f"another process searches there \\(process {os.getpid()}"):
        next(tune(disc_set, RAW, out=tmp_path / "out", resume=True, **SEARCH))
    going.close()
    held = tmp_path / "out" / HELD
    assert not held.exists()
    held.write_text(json.dumps({"process": 2**22 + 1, "machine": platform.node()}))  # of a process that was killed
    going = tune(disc_set, RAW, out=tmp_path / "out", resume=True, **SEARCH)
    next(going)
    going.close()


def test_folders_that_hold_no_search(disc_set, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        next(tune(disc_set, RAW, out=tmp_path / "file", **SEARCH))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "plan.json").write_text("{")
    with pytest.raises(InputError, match=r"plan\.json: line 1"):
        next(tune(disc_set, RAW, out=tmp_path / "out", resume=True, **SEARCH))


def test_a_worker_that_is_killed_is_told(disc_set):
    from concurrent.futures import Future
    from concurrent.futures.process import BrokenProcessPool
    from types import SimpleNamespace

    broken: Future[None] = Future()
    broken.set_exception(BrokenProcessPool())
    with pytest.raises(RunError, match="fewer workers"):
        scoring.Scorer(disc_set, "ap_50", pool=SimpleNamespace(submit=lambda *_: broken))(RAW, [0])


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
