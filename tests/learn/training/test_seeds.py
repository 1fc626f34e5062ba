"""The same training with several seeds."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")

from tests.learn.training.tiny import recipe, samples  # noqa: E402

from microtome.core.errors import InputError, RecipeError  # noqa: E402
from microtome.learn.training.events import Finished, Planned  # noqa: E402
from microtome.learn.training.seeds import Spread, train_seeds  # noqa: E402
from microtome.learn.training.several import OfPart  # noqa: E402

BRIEF = recipe(budget={"steps": 20}, validation={"every": 20, "pictures": 0}, seed=4)


def stand_in(path, trained, example):
    path.write_bytes(b"".join(value.detach().numpy().tobytes() for value in trained.network.parameters()))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Models are stand-ins: writing real ones takes longer than all the rest."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    patch = pytest.MonkeyPatch()
    patch.setattr("microtome.learn.training.finish.write_model", stand_in)
    out = tmp_path_factory.mktemp("seeds") / "run"
    first = list(train_seeds(samples(), out=out, count=2, recipe=BRIEF))
    further = list(train_seeds(samples(), out=out, count=3, resume=True))
    torch.set_num_threads(before)
    patch.undo()
    return out, first, further


def finished(told):
    return [one.event for one in told if isinstance(one, OfPart) and isinstance(one.event, Finished)]


def test_the_spread_is_that_of_the_runs(run):
    _, first, _ = run
    spread = first[-1]
    assert isinstance(spread, Spread)
    scores = [one.score for one in finished(first)]
    assert spread.scores == {4: scores[0], 5: scores[1]}
    assert (spread.least, spread.greatest) == (min(scores), max(scores))
    assert spread.mean == pytest.approx(sum(scores) / 2)
    assert spread.metric == "ap_50"


def test_more_seeds_are_added_and_those_that_are_done_stay(run):
    out, first, further = run
    assert [one.part for one in further if isinstance(one, OfPart) and isinstance(one.event, Planned)] == ["seed 6, 3 of 3"]
    assert finished(further)[:2] == finished(first)
    told = json.loads((out / "seeds.json").read_text())
    assert told["from"] is None
    assert [row["seed"] for row in told["runs"]] == [4, 5, 6]
    assert [row["model"] for row in told["runs"]] == ["seed-4/model.zip", "seed-5/model.zip", "seed-6/model.zip"]
    assert (told["mean"], told["least"], told["greatest"]) == (further[-1].mean, further[-1].least, further[-1].greatest)


def test_weights_differ_and_the_held_out_images_do_not(run):
    out, _, _ = run
    assert len({(out / f"seed-{seed}" / "model.zip").read_bytes() for seed in (4, 5, 6)}) == 3
    assert len({(out / f"seed-{seed}" / "split.csv").read_text() for seed in (4, 5, 6)}) == 1


def test_a_folder_with_runs_is_not_written_over(run, tmp_path):
    out, _, _ = run
    with pytest.raises(InputError, match="holds runs already"):
        train_seeds(samples(), out=out, count=2, recipe=BRIEF)
    with pytest.raises(InputError, match="nothing to go on with"):
        train_seeds(samples(), out=tmp_path, count=2, resume=True)
    with pytest.raises(RecipeError, match="2 or more"):
        train_seeds(samples(), out=tmp_path, count=1)


def test_runs_of_first_weights_do_not_go_on_from_a_model(run):
    out, _, _ = run
    with pytest.raises(InputError, match="these runs were begun with first weights, not from nuclei; leave --from away"):
        train_seeds(samples(), out=out, count=4, resume=True, start="nuclei")
