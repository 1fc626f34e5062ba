"""U-Net: what it sees by gradient, tiles that join, padding inside, dropout where it says, deep supervision."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from microtome.networks import build


def seen_by_gradient(network, rows, height, width):
    """How many input rows move each of these output rows: positive weights, and means for maxima, so that nothing is hidden."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.MaxPool2d):
                setattr(module, name, nn.AvgPool2d(2))
    network.double().eval()
    with torch.no_grad():
        for weights in network.parameters():
            weights.copy_(weights.abs() + 0.1)
    x = torch.ones(1, 1, height, width, dtype=torch.float64, requires_grad=True)
    y = network(x)["classes"]
    found = []
    for row in rows:
        (gradient,) = torch.autograd.grad(y[0, 0, row].sum(), x, retain_graph=True)
        touched = gradient[0, 0].abs().sum(1).nonzero().flatten()
        assert touched[0] > 0
        assert touched[-1] < height - 1
        found.append(int(touched[-1] - touched[0]) + 1)
    return min(found), max(found)


@pytest.mark.parametrize("up", ["transposed", "nearest", "bilinear"])
def test_the_receptive_field_of_same_padding_is_what_gradients_reach(up):
    network = build("unet", channels_in=1, outputs={"classes": 1}, root=1, norm="none", up=up)
    told = network.receptive_field()
    assert seen_by_gradient(network, range(256, 272), 528, 16) == told
    assert up != "transposed" or told == (188, 204)


@pytest.mark.parametrize("up", ["transposed", "nearest", "bilinear"])
def test_the_receptive_field_of_valid_padding_is_what_gradients_reach(up):
    network = build("unet", channels_in=1, outputs={"classes": 1}, depth=4, root=1, padding="valid", norm="none", up=up)
    side = network.sizes.at_least(320)
    middle = network.output_size((side,))[0] // 2
    told = network.receptive_field()
    assert seen_by_gradient(network, range(middle, middle + 8), side, network.sizes.least) == told


@pytest.mark.parametrize("up", ["transposed", "nearest", "bilinear"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_tiles_of_a_valid_network_join_without_a_seam(up, dimensions):
    network = build("unet", channels_in=1, outputs={"classes": 2}, depth=3, root=2, padding="valid", up=up, dimensions=dimensions).eval()
    side = network.sizes.least
    x = torch.rand(1, 1, *(side,) * (dimensions - 1), side + 4 * network.stride, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole, tile = network(x)["classes"], network(x[..., 8 : side + 8])["classes"]
    torch.testing.assert_close(tile, whole[..., 8 : 8 + tile.shape[-1]], rtol=1e-4, atol=1e-5)


def test_padding_inside_is_zeros_behind_the_image():
    network = build("unet", channels_in=1, outputs={"classes": 2}, depth=4, root=4).eval()
    x = torch.rand(1, 1, 21, 30)
    framed = torch.zeros(1, 1, 24, 32)
    framed[..., :21, :30] = x
    assert torch.equal(network(x)["classes"], network(framed)["classes"][..., :21, :30])


def test_one_pixel_passes_and_instance_normalisation_pads_to_two_at_the_bottom():
    for norm in ("none", "batch", "group", "instance"):
        network = build("unet", channels_in=1, outputs={"classes": 2}, depth=3, root=8, norm=norm).eval()
        assert network(torch.ones(1, 1, 1, 1))["classes"].shape == (1, 2, 1, 1)
        assert network.is_local == (norm in ("none", "batch"))


def test_one_level_is_a_plain_pair():
    network = build("unet", channels_in=1, outputs={"classes": 2}, depth=1, root=4)
    assert network.receptive_field() == (5, 5)
    assert network(torch.zeros(1, 1, 3, 5))["classes"].shape == (1, 2, 3, 5)


def test_the_skip_comes_first_then_what_comes_up():
    network = build("unet", channels_in=1, outputs={"classes": 1}, depth=2, root=2, norm="none").eval()
    with torch.no_grad():
        network.ups[0].grow.weight.zero_()
        network.ups[0].grow.bias.fill_(7)
    seen = []
    network.expanding[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    network(torch.rand(1, 1, 8, 8))
    assert (seen[0][:, 2:] == 7).all()
    assert not (seen[0][:, :2] == 7).any()


def dropouts(**settings):
    network = build("unet", channels_in=1, outputs={"classes": 1}, depth=3, root=2, **settings)
    return [name for name, layer in network.named_modules() if isinstance(layer, nn.Dropout)]


def test_dropout_stands_where_it_is_asked_for():
    assert dropouts() == []
    between = dropouts(dropout=0.2)
    assert [name.split(".")[:3] for name in between] == [["contracting", level, "0"] for level in "012"] + [
        ["expanding", level, "0"] for level in "01"
    ]
    assert len(dropouts(dropout=0.2, dropout_at="each")) == 10
    assert dropouts(dropout=0.2, dropout_at="bottom") == ["bottom"]


def test_first_weights_go_by_incoming_connections():
    network = build("unet", channels_in=1, outputs={"classes": 2}, depth=3, root=64, norm="none")
    second = network.contracting[0][1][0]
    assert second.weight.std().item() == pytest.approx((2 / 576) ** 0.5, rel=0.02)
    up = network.ups[1].grow  # 2 x 2, stride 2: each output pixel sums one pixel of 256 channels
    assert up.weight.std().item() == pytest.approx((2 / 256) ** 0.5, rel=0.02)
    assert all((layer.bias == 0).all() for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)))


def test_the_signal_neither_dies_nor_explodes_at_the_start():
    network = build("unet", channels_in=1, outputs={"classes": 2}, root=16, norm="none").eval()
    x = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert 0.2 < network(x)["classes"].std().item() < 5


def test_coarser_levels_answer_in_training_only():
    network = build("unet", channels_in=1, outputs={"classes": 2}, depth=4, root=2, supervised=2)
    x = torch.rand(2, 1, 33, 48)
    shapes = {name: tuple(y.shape) for name, y in network(x).items()}
    assert shapes == {"classes": (2, 2, 33, 48), "classes_4": (2, 2, 9, 12), "classes_2": (2, 2, 17, 24)}
    assert list(network.eval()(x)) == ["classes"]
    assert network.expected_parameters() == sum(weights.numel() for weights in network.parameters())


def test_it_learns_a_picture():
    network = build("unet", channels_in=1, outputs={"classes": 2}, depth=3, root=4)
    y, x = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    truth = ((y - 14) ** 2 + (x - 18) ** 2 < 60).long()[None]
    image = truth[:, None] + 0.3 * torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    steps = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(40):
        steps.zero_grad()
        nn.functional.cross_entropy(network(image)["classes"], truth).backward()
        steps.step()
    assert (network(image)["classes"].argmax(1) == truth).float().mean() > 0.98
