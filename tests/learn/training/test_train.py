"""From labelled images to a model, end to end, on images that take seconds."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.learn.training.tiny import discs, recipe, samples, semantic_samples  # noqa: E402

from microtome import evaluate, segment  # noqa: E402
from microtome.core.classes import ClassTable  # noqa: E402
from microtome.core.errors import InputError, RunError  # noqa: E402
from microtome.core.raster import Image, InstanceMap  # noqa: E402
from microtome.core.result import Sample  # noqa: E402
from microtome.learn.training.dropped import lost_objects  # noqa: E402
from microtome.learn.training.events import Chosen, Finished, Planned, Stepped, Stopped, Validated, Warned  # noqa: E402
from microtome.learn.training.train import train  # noqa: E402
from microtome.run.bundle import open_bundle, verify  # noqa: E402
from microtome.targets.catalogue import load  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, list(train(samples(), out=folder, recipe=recipe(budget={"steps": 150}, validation={"every": 50, "pictures": 1})))


def test_what_was_chosen_comes_first_and_the_model_last(trained):
    folder, events = trained
    assert isinstance(events[0], Chosen)
    assert of(events, Planned)[0].steps == 150
    assert isinstance(events[-1], Finished)
    assert events[-1].bundle == folder / "model.zip"


def test_the_loss_falls_and_the_model_finds_discs_in_an_image_it_never_saw(trained):
    folder, events = trained
    losses = [event.loss for event in of(events, Stepped)]
    assert losses[-1] < 0.7 * losses[0]
    image, truth = discs(99)
    found = segment(image, open_bundle(folder / "model.zip").recipe).mask
    assert evaluate(found, truth, task="instance")["ap_50"] >= 0.6


def test_the_bundle_verifies_and_says_what_it_was_trained_on(trained):
    folder, _ = trained
    assert verify(folder / "model.zip").sound
    facts = open_bundle(folder / "model.zip").facts
    assert facts["network"] == {"unet": {"depth": 2, "root": 4}}
    assert facts["diameter_range"][0] <= facts["diameter"] <= facts["diameter_range"][1]


def test_what_no_labelled_object_is_like_is_not_found_either(trained):
    folder, _ = trained
    recipe = open_bundle(folder / "model.zip").recipe
    assert [use.step for use in recipe.steps] == ["normalise", "network", "interior_border", "fill_holes", "drop_small"]
    disc = 81  # pixels of a whole disc of radius 5; some are covered in part
    assert 4 <= recipe.steps[-1].settings["min_area"] <= disc / 2


def test_groups_are_not_torn_apart(tmp_path):
    pairs = [Sample(one.image, one.truth, group=f"plate {number // 2}", name=one.name) for number, one in enumerate(samples())]
    list(train(pairs, out=tmp_path, recipe=recipe(budget={"steps": 1})))
    rows = [line.split(",") for line in (tmp_path / "split.csv").read_text().splitlines()[1:]]
    of_group = {}
    for _, group, split, *_ in rows:
        of_group.setdefault(group, set()).add(split)
    assert len(of_group) == 4
    assert all(len(splits) == 1 for splits in of_group.values())


def weights_of(folder):
    from safetensors.torch import load_file

    return load_file(folder / "checkpoints" / "last.safetensors")


def test_a_resumed_run_gives_the_same_bytes_as_one_that_never_stopped(tmp_path):
    whole = list(train(samples(), out=tmp_path / "whole", recipe=recipe()))
    steps = 0

    def after_seven():
        nonlocal steps
        steps += 1
        return steps == 7

    first = list(train(samples(), out=tmp_path / "parts", recipe=recipe(), stop=after_seven))
    assert isinstance(first[-1], Stopped)
    assert first[-1].step == 7
    second = list(train(samples(), out=tmp_path / "parts", resume=True))
    assert isinstance(second[-1], Finished)
    assert second[-1].score == whole[-1].score
    one, other = weights_of(tmp_path / "whole"), weights_of(tmp_path / "parts")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_closing_the_generator_saves_what_was_reached(tmp_path):
    events = train(samples(), out=tmp_path, recipe=recipe(budget={"steps": 100}))
    for event in events:
        if isinstance(event, Stepped):
            break
    events.close()
    from microtome.learn.training.checkpoint import load_checkpoint

    assert load_checkpoint(tmp_path / "checkpoints" / "last.safetensors")[0].step == 10


def test_classes_are_learned_too(tmp_path):
    events = list(train(semantic_samples(), out=tmp_path, recipe=recipe(budget={"steps": 40}, validation={"every": 20})))
    assert of(events, Validated)[-1].metric == "miou_set"
    assert events[-1].score > 0.7
    image, truth = discs(77)
    found = segment(image, open_bundle(tmp_path / "model.zip").recipe).mask
    assert np.mean((found.pixels > 0) == (truth.pixels > 0)) > 0.9


def test_a_time_budget_becomes_a_number_of_steps_that_is_kept(tmp_path):
    steps = 0

    def soon():
        nonlocal steps
        steps += 1
        return steps == 2

    events = list(train(samples(), out=tmp_path, recipe=recipe(budget={"time": "60s"}), stop=soon))
    planned = of(events, Planned)[0]
    assert planned.steps > 10
    assert "60s" in planned.reason
    again = train(samples(), out=tmp_path, resume=True)
    assert next(event for event in again if isinstance(event, Planned)) == planned
    again.close()


def test_images_without_any_object_are_refused_before_anything_is_trained(tmp_path):
    empty = [Sample(one.image, InstanceMap(np.zeros_like(one.truth.pixels)), name=one.name) for one in samples()]
    with pytest.raises(InputError, match="nothing to learn"):
        list(train(empty, out=tmp_path, recipe=recipe()))


def test_one_class_only_is_refused(tmp_path):
    same = [Sample(one.image, one.truth.with_pixels(np.zeros_like(one.truth.pixels)), name=one.name) for one in semantic_samples()]
    with pytest.raises(InputError, match="at least two classes"):
        list(train(same, out=tmp_path, recipe=recipe()))


def test_what_would_be_dropped_is_listed_and_must_be_allowed(tmp_path):
    dots = np.zeros((48, 48), np.int32)
    dots[4::8, 4::8] = np.arange(1, 37).reshape(6, 6)
    dots[4::8, 5::8] = np.arange(37, 73).reshape(6, 6)
    tiny = [Sample(one.image, InstanceMap(dots), name=one.name) for one in samples()]
    with pytest.raises(InputError, match="objects are too small or too thin"):
        list(train(tiny, out=tmp_path / "a", recipe=recipe(budget={"steps": 1})))
    events = list(train(tiny, out=tmp_path / "b", recipe=recipe(budget={"steps": 1}), allow_dropped=True))
    assert any("would be lost" in event.message for event in of(events, Warned))


def test_a_least_area_in_the_images_pixels_is_no_loss_at_the_networks_scale():
    squares = np.zeros((64, 64), np.int32)
    squares[4:12, 4:12], squares[30:38, 30:38] = 1, 2
    found = lost_objects(
        [("squares", InstanceMap(squares))],
        load("classes"),
        ClassTable.binary("object"),
        ["connected_components", {"drop_small": {"min_area": 200}}],
    )
    assert (found.lost, found.total) == (0, 2)


def test_a_loss_that_is_not_a_number_names_the_step_and_the_images(tmp_path):
    with pytest.raises(RunError, match=r"step \d+: the (loss|gradient) is .*image") as caught:
        list(train(samples(), out=tmp_path, recipe=recipe(optimiser={"sgd": {"rate": 1e30}}, clip=0.0)))
    assert "rate" in str(caught.value)
    assert (tmp_path / "checkpoints" / "last.safetensors").exists()


def test_grey_and_coloured_images_together_become_grey(tmp_path):
    mixed = samples()
    first = mixed[0]
    mixed[0] = Sample(Image(np.repeat(first.image.pixels[..., None], 3, -1), axes="yxc"), first.truth, first.group, first.name)
    chosen = next(event for event in train(mixed, out=tmp_path, recipe=recipe()) if isinstance(event, Chosen))
    assert chosen.document["train"]["prepare"][0] == "to_grey"


def test_a_folder_that_holds_a_run_is_not_written_over(trained):
    folder, _ = trained
    with pytest.raises(InputError, match="--resume"):
        train(samples(), out=folder)
