"""Multiply-adds: every kind of layer, and refusal of a size that does not pass."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from microtome.core.errors import InputError
from microtome.networks import build
from microtome.networks.arithmetic import LegalSizes
from microtome.networks.multiply_adds import multiply_adds
from microtome.networks.network import Network


class Mixed(Network):
    """A grouped convolution, a transposed one and a dense layer over the image's mean."""

    def __init__(self) -> None:
        super().__init__(channels_in=2, outputs={"y": 3}, dimensions=2, stride=1, sizes=LegalSizes(1, 1))
        self.grouped = nn.Conv2d(2, 4, 3, padding=1, groups=2)
        self.up = nn.ConvTranspose2d(4, 6, 2, stride=2)
        self.dense = nn.Linear(6, 3)

    def forward(self, batch):
        return {"y": self.dense(self.up(self.grouped(batch)).mean((2, 3)))}


def test_every_kind_of_layer_by_hand():
    assert multiply_adds(Mixed(), (5, 7)) == 35 * 4 * 1 * 9 + 35 * 4 * 6 * 4 + 6 * 3


def test_counting_changes_nothing():
    network = build("unet", channels_in=1, outputs={"classes": 2}, depth=2, root=2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    multiply_adds(network, (16, 16))
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(layer._forward_hooks for layer in network.modules())


def test_an_illegal_size_is_refused():
    network = build("unet", channels_in=1, outputs={"classes": 2}, depth=2, root=2, padding="valid")
    with pytest.raises(InputError, match="nearest 20 and 22"):
        multiply_adds(network, (21, 20))
