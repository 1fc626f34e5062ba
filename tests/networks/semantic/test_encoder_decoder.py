"""The encoder-decoder: doubled sides, any batch, what it sees, and its two first weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from microtome.networks import build


def test_every_transposed_convolution_doubles_and_drops_the_last_row():
    network = build("encoder_decoder", channels_in=1, outputs={"mask": 1}, depth=2, root=1)
    seen = []
    network.heads.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network.decoder[0].weight.fill_(1)
        network.decoder[0].bias.zero_()
        network.encoder[1].register_forward_hook(lambda *_: torch.tensor([[1.0, 2.0], [3.0, 4.0]]).expand(1, 2, 2, 2) / 2)
        network(torch.zeros(1, 1, 4, 4))
    assert seen[0][0, 0].tolist() == [[1, 1, 3, 2], [1, 1, 3, 2], [4, 4, 10, 6], [3, 3, 7, 4]]


def test_any_batch_and_size():
    network = build("encoder_decoder", channels_in=3, outputs={"mask": 1}, root=2)
    for shape in ((1, 3, 16, 16), (5, 3, 17, 40), (1, 3, 1, 1)):
        assert network(torch.zeros(shape))["mask"].shape == (shape[0], 1, *shape[2:])


def test_volumes():
    network = build("encoder_decoder", channels_in=1, outputs={"mask": 1}, depth=3, root=2, dimensions=3)
    assert network(torch.zeros(1, 1, 8, 5, 12))["mask"].shape == (1, 1, 8, 5, 12)
    assert network.expected_parameters() == sum(weights.numel() for weights in network.parameters())


def test_the_receptive_field_is_what_gradients_reach():
    network = build("encoder_decoder", channels_in=1, outputs={"mask": 1}, root=1, init="he").double()
    network.pool = nn.AvgPool2d(2)
    with torch.no_grad():
        for weights in network.parameters():
            weights.copy_(weights.abs() + 0.1)
    x = torch.ones(1, 1, 400, 16, dtype=torch.float64, requires_grad=True)
    y = network(x)["mask"]
    sides = []
    for row in range(192, 208):
        (gradient,) = torch.autograd.grad(y[0, 0, row].sum(), x, retain_graph=True)
        touched = gradient[0, 0].abs().sum(1).nonzero().flatten()
        sides.append(int(touched[-1] - touched[0]) + 1)
    assert (min(sides), max(sides)) == network.receptive_field() == (140, 156)


def test_he_weights_on_request():
    network = build("encoder_decoder", channels_in=1, outputs={"mask": 1}, root=32, depth=3, init="he")
    up = network.decoder[0]  # 3 x 3, stride 2: 9/4 of 128 channels on average
    assert up.weight.std().item() == pytest.approx((2 / (128 * 9 / 4)) ** 0.5, rel=0.05)
    assert (up.bias == 0).all()
