"""The tf_unet form: where it departs from the U-Net."""

from __future__ import annotations

import torch
from torch import nn

from microtome.networks import build


def network(**settings):
    return build("tf_unet", channels_in=1, outputs={"classes": 2}, root=4, **settings)


def test_logits_are_cut_at_zero_as_printed_or_left_alone():
    x = torch.rand(1, 1, 60, 60, generator=torch.Generator().manual_seed(0)) - 3
    printed, linear = network().eval(), network(relu_on_logits=False).eval()
    with torch.no_grad():
        for unet in (printed, linear):
            unet.heads.of["classes"].bias.copy_(torch.tensor([-100.0, 1.0]))
        assert torch.equal(printed(x)["classes"], linear(x)["classes"].relu())
        assert (linear(x)["classes"][:, 0] < 0).all()


def test_a_negative_logit_learns_nothing_as_printed():
    unet = network()
    with torch.no_grad():
        unet.heads.of["classes"].bias.fill_(-100.0)
    loss = nn.functional.cross_entropy(unet(torch.rand(1, 1, 60, 60))["classes"], torch.ones(1, 20, 20, dtype=torch.long))
    loss.backward()
    assert all((weights.grad == 0).all() for weights in unet.parameters())


def test_up_convolutions_are_activated_and_biases_start_at_a_tenth():
    unet = network()
    assert all(isinstance(up.refine, nn.ReLU) for up in unet.ups)
    assert all((layer.bias == 0.1).all() for layer in unet.modules() if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)))


def test_dropout_stands_behind_every_convolution():
    assert sum(isinstance(layer, nn.Dropout) for layer in network(dropout=0.4).modules()) == 10
