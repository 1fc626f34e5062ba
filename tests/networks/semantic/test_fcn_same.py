"""The same-resolution network: every size, in 2-D and 3-D."""

from __future__ import annotations

import pytest
import torch

from microtome.networks import build


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (4, 5, 6)])
def test_every_size_is_legal(size):
    network = build("fcn_same", channels_in=1, outputs={"classes": 2}, layers=3, width=4, dimensions=len(size))
    assert network(torch.zeros(2, 1, *size))["classes"].shape == (2, 2, *size)
    assert network.expected_parameters() == sum(weights.numel() for weights in network.parameters())


def test_a_pixel_sees_as_far_as_told():
    network = build("fcn_same", channels_in=1, outputs={"classes": 1}, layers=3, width=1).double()
    with torch.no_grad():
        for weights in network.parameters():
            weights.copy_(weights.abs() + 0.1)
    x = torch.ones(1, 1, 31, 1, dtype=torch.float64, requires_grad=True)
    network(x)["classes"][0, 0, 15].sum().backward()
    assert x.grad.nonzero()[:, 2].tolist() == list(range(12, 19))
    assert network.receptive_field() == (7, 7)
