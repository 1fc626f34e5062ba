"""A model trained further: it begins from what it knows, and brings images to the size it knows."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from itertools import tee

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.learn.training.tiny import recipe, samples  # noqa: E402
from tests.run.networks import brightness_network  # noqa: E402

from microtome.core.errors import InputError  # noqa: E402
from microtome.core.raster import Image, InstanceMap  # noqa: E402
from microtome.learn.training.events import Chosen, Finished, Stepped  # noqa: E402
from microtome.learn.training.train import train  # noqa: E402
from microtome.run.bundle import write_bundle  # noqa: E402

FEW = {"budget": {"steps": 10}, "validation": {"every": 10, "pictures": 0}}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("first")
    events = list(train(samples(), out=folder, recipe=recipe(budget={"steps": 120}, validation={"every": 60, "pictures": 0})))
    assert isinstance(events[-1], Finished)
    return folder / "model.zip"


def first_loss(events):
    return next(event.loss for event in events if isinstance(event, Stepped))


def without(*fields, **changes):
    document = recipe(**changes)
    return {"microtome": 1, "train": {key: value for key, value in document["train"].items() if key not in fields}}


def test_it_begins_where_the_model_ended(model, tmp_path):
    fresh = train(samples(), out=tmp_path / "fresh", recipe=recipe(**FEW))
    further, again = tee(train(samples(), out=tmp_path / "further", recipe=without("network", "scale", **FEW), start=model))
    assert first_loss(further) < 0.7 * first_loss(fresh)
    reasons = {one.place: one.reason for one in next(told for told in again if isinstance(told, Chosen)).choices}
    assert reasons["network"] == reasons["target"] == reasons["prepare"] == "as the model has it"
    assert "as you said" in reasons["window"]
    fresh.close()


def test_images_of_larger_objects_are_brought_to_the_size_it_knows(model, tmp_path):
    twice = [
        replace(
            one,
            image=Image(np.kron(one.image.pixels, np.ones((2, 2), np.uint8))),
            truth=InstanceMap(np.kron(one.truth.pixels, np.ones((2, 2), np.int32))),
        )
        for one in samples()
    ]
    events = train(twice, out=tmp_path, recipe=without("network", "scale", **FEW), start=model)
    chosen = next(event for event in events if isinstance(event, Chosen))
    events.close()
    assert chosen.document["train"]["scale"] == pytest.approx(0.5, abs=0.01)
    assert chosen.document["train"]["network"] == {"unet": {"depth": 2, "root": 4}}


def test_a_bundle_without_weights_is_refused(tmp_path):
    document = {"microtome": 1, "steps": [{"network": {"weights": "main"}}, "classes"]}
    path = write_bundle(tmp_path / "squares.zip", document, {"main": brightness_network()}, card="Squares.", facts={})
    with pytest.raises(InputError, match="not trained further"):
        train(samples(), out=tmp_path / "run", start=path)


def test_an_ensemble_says_that_training_goes_on_from_one(tmp_path):
    document = {"microtome": 1, "steps": [{"network": {"weights": ["a", "b"]}}, "classes"]}
    networks = {"a": brightness_network(), "b": brightness_network(low=10.0)}
    path = write_bundle(tmp_path / "two.zip", document, networks, card="x", facts={"network": {"unet": {}}})
    with pytest.raises(InputError, match="is an ensemble of 2 networks, and training goes on from one"):
        train(samples(), out=tmp_path / "run", start=path)


def test_weights_that_have_changed_are_refused(model, tmp_path):
    with zipfile.ZipFile(model) as archive:
        archive.extractall(tmp_path / "folder")
    file = tmp_path / "folder" / "weights.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(InputError, match=r"weights\.safetensors has changed"):
        list(train(samples(), out=tmp_path / "run", recipe=without("network", "scale", **FEW), start=tmp_path / "folder"))
