"""Every target of objects is learned, and by networks of every form."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from tests.learn.training.tiny import recipe, samples  # noqa: E402

from microtome.core.errors import RecipeError  # noqa: E402
from microtome.learn.training.events import Validated  # noqa: E402
from microtome.learn.training.train import train  # noqa: E402

VALID = {"unet": {"depth": 2, "root": 4, "padding": "valid", "norm": "none"}}
SUPERVISED = {"unet": {"depth": 3, "root": 4, "supervised": 1}}


def best_score(tmp_path, **changes):
    """The best score of a short run, without the model at its end."""
    torch.set_num_threads(1)
    steps, best = 120, 0.0
    events = train(samples(), out=tmp_path, recipe=recipe(budget={"steps": steps}, validation={"every": 40, "pictures": 0}, **changes))
    for event in events:
        if isinstance(event, Validated):
            best = max(best, event.score)
            if event.step == steps:
                break
    events.close()
    return best


@pytest.mark.parametrize(
    "changes",
    [
        {"target": {"signed_distance": {}}},
        {"target": {"centre_offset": {}}},
        {"network": VALID, "window": [36, 36], "pixel_weights": {"w0": 10, "sigma": 3}},
        {"network": SUPERVISED},
        {"network": {"unet": {"depth": 2, "root": 4, "norm": "instance", "activation": "elu", "dropout": 0.1}}},
    ],
    ids=["signed distance", "centre and offset", "valid, with weights at borders", "deep supervision", "instance norm, ELU, dropout"],
)
def test_it_is_learned(changes, tmp_path):
    assert best_score(tmp_path, **changes) > 0.3


def test_a_window_that_a_valid_network_does_not_take_is_refused_with_those_it_does(tmp_path):
    with pytest.raises(RecipeError, match=r"window: 33 pixels .* nearest windows: \d+"):
        list(train(samples(), out=tmp_path, recipe=recipe(network=VALID, window=[33, 33])))


def test_classes_of_objects_without_a_step_that_numbers_them_are_refused_before_training(tmp_path):
    with pytest.raises(RecipeError, match="let a step of refine number them"):
        list(train(samples(), out=tmp_path / "run", recipe=recipe(target={"classes": {}}, refine=[])))
