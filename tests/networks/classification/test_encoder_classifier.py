"""One answer an image: counted by hand, whatever the size, and the mean over the last map."""

from __future__ import annotations

import pytest
import torch

from microtome.core.errors import InputError
from microtome.networks import build


def classifier(**settings):
    return build("encoder_classifier", channels_in=1, outputs={"kind": 3}, **{"depth": 2, "root": 4, **settings})


def test_parameters_by_hand():
    # 3 x 3 kernels without bias, two numbers a channel of normalisation: 1-4, 4-4, 4-8, 8-8, then 8-3 with bias
    by_hand = (9 * 1 * 4 + 8) + (9 * 4 * 4 + 8) + (9 * 4 * 8 + 16) + (9 * 8 * 8 + 16) + (8 * 3 + 3)
    network = classifier()
    assert network.expected_parameters() == by_hand == sum(weights.numel() for weights in network.parameters())


@pytest.mark.parametrize(("settings", "size"), [({}, (28, 28)), ({}, (7, 13)), ({}, (1, 1)), ({"dimensions": 3}, (5, 6, 7)),
                                                ({"norm": "instance"}, (2, 9)), ({"norm": "group", "groups": 2}, (9, 4))])  # fmt: skip
def test_any_size_has_one_answer(settings, size):
    network = classifier(**settings).eval()
    assert network(torch.rand(2, 1, *size))["kind"].shape == (2, 3)
    assert network.output_size(size) == ()


def test_the_answer_is_the_mean_over_the_places_of_the_last_map():
    network = classifier(norm="none", depth=1).eval()
    x = torch.rand(1, 1, 6, 8, generator=torch.Generator().manual_seed(0))
    wanted = network.heads["kind"](network.encoder[0](x).mean(dim=(2, 3)))
    torch.testing.assert_close(network(x)["kind"], wanted)


def test_the_field_of_the_last_map_is_that_of_the_u_nets_bottom():
    assert classifier(depth=5).bottom_receptive_field() == build("unet", channels_in=1, outputs={"c": 2}, root=2).bottom_receptive_field()
    x = torch.zeros(1, 1, 64, 64, requires_grad=True)
    network = classifier(depth=3, norm="none", activation="elu").eval()
    y = x
    for level, pair in enumerate(network.encoder):
        y = pair(torch.nn.functional.avg_pool2d(y, 2) if level else y)  # the mean reaches every pixel that the greatest chooses from
    y[0, :, 8, 8].sum().backward()
    rows = torch.nonzero(x.grad[0, 0].abs().sum(1)).ravel()
    assert int(rows[-1] - rows[0]) + 1 == network.bottom_receptive_field() == 32


def test_an_empty_image_is_refused():
    with pytest.raises(InputError, match="empty image"):
        classifier()(torch.zeros(1, 1, 0, 4))
