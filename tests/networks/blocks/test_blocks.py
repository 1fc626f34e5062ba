"""The parts: up-sampling, frames, heads, normalisation."""

from __future__ import annotations

import pytest
import torch

from microtome.core.errors import RecipeError
from microtome.networks.blocks.conv import ConvStyle, conv_pair, conv_unit, unit_parameters
from microtome.networks.blocks.frame import crop, crop_to, pad_to_step
from microtome.networks.blocks.heads import split
from microtome.networks.blocks.initialise import incoming_connections
from microtome.networks.blocks.normalisation import normalisation, normalisation_parameters
from microtome.networks.blocks.up_sampling import UpSampling, lost_by_up, up_parameters


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("valid", [False, True])
@pytest.mark.parametrize("kind", ["transposed", "nearest", "bilinear"])
def test_up_sampling_doubles_less_what_it_may_not_invent(kind, valid, dimensions):
    style = ConvStyle(dimensions, valid, norm="batch", bias=False)
    up = UpSampling(4, 2, kind=kind, style=style)
    assert up(torch.zeros(2, 4, *(5,) * dimensions)).shape == (2, 2, *(10 - (lost_by_up(kind) if valid else 0),) * dimensions)
    assert sum(weights.numel() for weights in up.parameters()) == up_parameters(4, 2, kind=kind, style=style)


@pytest.mark.parametrize("norm", ["none", "batch", "group", "instance"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_units_have_the_parameters_of_their_formula(norm, dimensions):
    style = ConvStyle(dimensions, norm=norm, groups=2, bias=norm == "none")
    unit = conv_unit(3, 4, style)
    assert sum(weights.numel() for weights in unit.parameters()) == unit_parameters(3, 4, style)
    assert unit(torch.rand(2, 3, *(4,) * dimensions)).shape == (2, 4, *(4,) * dimensions)
    layer = normalisation(norm, 4, dimensions=dimensions, groups=2)
    assert normalisation_parameters(norm, 4) == (0 if layer is None else sum(weights.numel() for weights in layer.parameters()))


def test_groups_must_divide():
    with pytest.raises(RecipeError, match="8 groups do not divide 12 channels"):
        normalisation("group", 12, dimensions=2)


def test_a_valid_pair_loses_two_pixels_a_side():
    assert conv_pair(1, (2, 3), ConvStyle(valid=True))(torch.zeros(1, 1, 9, 7)).shape == (1, 3, 5, 3)


def test_no_layer_works_in_place():
    unit = conv_unit(1, 2, ConvStyle(norm="batch", activation="elu"), dropout=0.5)
    assert not any(getattr(layer, "inplace", False) for layer in unit)


def test_a_frame_comes_off_as_it_went_on():
    x = torch.rand(1, 2, 5, 9, 3)
    framed = pad_to_step(x, 4, 4)
    assert framed.shape == (1, 2, 8, 12, 4)
    assert torch.equal(crop_to(framed, x.shape[2:]), x)
    assert (framed != 0).sum() == (x != 0).sum()
    assert pad_to_step(x, 1, 1) is x
    assert pad_to_step(x, 4, 8).shape == (1, 2, 8, 12, 8)
    assert torch.equal(crop(x, 1), x[..., 1:-1, 1:-1, 1:-1])
    assert crop(x, 0) is x


def test_split_follows_the_names():
    parts = split(torch.arange(3.0).view(1, 3, 1, 1), {"b": 1, "a": 2})
    assert list(parts) == ["b", "a"]
    assert parts["a"].flatten().tolist() == [1, 2]


def test_incoming_connections_of_strides_and_groups():
    assert incoming_connections(torch.nn.Conv2d(8, 4, 3, groups=4)) == 18
    assert incoming_connections(torch.nn.ConvTranspose3d(6, 4, 2, stride=2)) == 6
    assert incoming_connections(torch.nn.ConvTranspose2d(4, 4, 3, stride=2)) == 9
