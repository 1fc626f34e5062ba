"""Names, settings and their mistakes; what happens where torch is not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from microtome.core.errors import RecipeError
from microtome.networks import build, catalogue, load, names


def test_the_folder_is_the_list():
    assert set(names()) >= {"encoder_decoder", "fcn_same", "smp", "tf_unet", "timm_unet", "unet"}
    assert all(catalogue.summary_line(name) for name in names())


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("unett", {}, "unknown network 'unett'; did you mean unet"),
        ("unet", {"dept": 3}, "unet: dept: unet has no such setting; did you mean depth?"),
        ("unet", {"depth": 0}, r"unet: depth: found 0, expected a whole number \(from 1 to 9\)"),
        ("unet", {"depth": "deep"}, "unet: depth: found 'deep', expected a whole number"),
        ("unet", {"norm": "layer"}, "unet: norm: found 'layer', expected one of none, batch, group, instance"),
        ("unet", {"dimensions": 4}, "unet: dimensions: found 4, expected one of 2, 3"),
        ("unet", {"dropout": 1.0}, "unet: dropout: found 1.0"),
        ("unet", {"dropout": [0.1, 0.2]}, "dropout: 2 numbers for 5 levels"),
        ("unet", {"norm": "group", "root": 4}, "norm: 8 groups do not divide 4 channels"),
        ("unet", {"supervised": 4}, "supervised: 4 further levels, but the expanding path of depth 5 has 3"),
        ("unet", {"supervised": 1, "padding": "valid"}, "supervised: needs padding same"),
        ("fcn_same", {"depth": 3}, "fcn_same: depth: fcn_same has no such setting"),
    ],
)
def test_a_mistake_names_its_place_and_the_way_out(name, settings, message):
    with pytest.raises(RecipeError, match=message):
        build(name, channels_in=1, outputs={"classes": 2}, **settings)


def test_a_mistake_in_a_recipe_names_its_place_there():
    with pytest.raises(RecipeError, match=r"train\.network\.dept: unet has no such setting"):
        build("unet", channels_in=1, outputs={"classes": 2}, place="train.network", dept=3)


@pytest.mark.parametrize(
    ("channels_in", "outputs", "message"),
    [
        (0, {"classes": 2}, "unet.channels_in: found 0"),
        (True, {"classes": 2}, "unet.channels_in: found True"),
        (1, {}, "unet.outputs: found {}"),
        (1, {"classes": 0}, "unet.outputs.classes: found 0"),
        (1, {"a.b": 1}, "'a.b' is no name"),
    ],
)
def test_channels_and_outputs_are_checked(channels_in, outputs, message):
    with pytest.raises(RecipeError, match=message):
        build("unet", channels_in=channels_in, outputs=outputs)


def test_plain_data_is_enough():
    listed = build("unet", channels_in=1, outputs={"classes": 2}, depth=3, root=4, dropout=[0.1, 0.2, 0.3])
    assert [layer.p for layer in listed.modules() if isinstance(layer, torch.nn.Dropout)] == [0.1, 0.2, 0.3, 0.1, 0.2]


def test_a_class_is_loaded_once():
    assert load("unet") is load("unet")


def without(*modules):
    """What listing and building say where these modules are not installed."""
    code = f"""
import sys
for name in {modules!r}:
    sys.modules[name] = None
from microtome.networks import names
from microtome.networks.catalogue import build, summary_line
print(len([summary_line(name) for name in names()]))
try:
    build({"unet" if "torch" in modules else "smp"!r}, channels_in=1, outputs={{"classes": 2}})
except ImportError as error:
    print(type(error).__name__, error)
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()


def test_without_torch_networks_are_listed_and_building_names_the_extra():
    listed, error = without("torch")
    assert int(listed) == len(names())
    assert error == "MissingExtra network 'unet' needs torch: pip install 'microtome[deep]'"


@pytest.mark.slow
def test_without_a_library_its_networks_name_the_extra():
    assert without("segmentation_models_pytorch")[1].startswith("MissingExtra network 'smp' needs segmentation_models_pytorch: pip install")
