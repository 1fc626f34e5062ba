"""Targets by name, their settings checked, their heads, and no torch."""

import subprocess
import sys

import numpy as np
import pytest

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError, RecipeError
from microtome.core.raster import InstanceMap, ScoreMap
from microtome.run import catalogue as steps
from microtome.targets import catalogue
from microtome.targets.heads import Head, scores_of


def test_every_target_decodes_by_a_step_of_its_name():
    for name in catalogue.names():
        target = catalogue.load(name)
        assert steps.load(name) is target.decode
        assert target.decode.name == name
        for ndim in (2, 3):
            assert all(isinstance(head, Head) for head in target.heads(ClassTable.binary(), ndim))


def test_mistakes_name_their_place():
    with pytest.raises(RecipeError, match=r"train\.target: unknown target 'interior_boarder'; did you mean interior_border"):
        catalogue.load("interior_boarder", {}, "train.target")
    with pytest.raises(RecipeError, match=r"train\.target\.widht: interior_border has no such setting; did you mean width"):
        catalogue.load("interior_border", {"widht": 2}, "train.target")
    with pytest.raises(RecipeError, match="signed_distance: clip: found 0"):
        catalogue.load("signed_distance", {"clip": 0})


def test_settings_reach_the_encoding():
    square = np.zeros((9, 9), int)
    square[1:8, 1:8] = 1
    thick = catalogue.load("interior_border", {"width": 3}).encode(InstanceMap(square))["interior_border"]
    assert (thick == 1).sum() == 1


def test_no_torch_is_needed():
    code = (
        "import sys; from microtome.targets import catalogue, weight_map; [catalogue.load(n) for n in catalogue.names()];"
        "import microtome.losses.class_weights; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_outputs_become_scores():
    like = ScoreMap(np.zeros((2, 3)), spacing=(2, 1), unit="um")
    heads = (Head("kind", ("a", "b"), "softmax"), Head("there", ("there",), "sigmoid"), Head("far", ("far",)))
    outputs = {"kind": np.zeros((2, 3, 2)), "there": np.full((2, 3, 1), -1000.0), "far": np.full((2, 3), 7.0)}
    found = scores_of(outputs, heads, like)
    assert found.layers == ("a", "b", "there", "far")
    assert found.spacing == (2, 1)
    assert found.pixels[0, 0].tolist() == [0.5, 0.5, 0, 7]
    with pytest.raises(InputError, match="far is expected of it too"):
        scores_of({k: outputs[k] for k in ("kind", "there")}, heads, like)
    with pytest.raises(InputError, match=r"output kind has shape \(2, 3, 1\), expected \(2, 3, 2\): a, b last"):
        scores_of(outputs | {"kind": np.zeros((2, 3, 1))}, heads, like)
