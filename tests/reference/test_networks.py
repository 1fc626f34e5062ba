"""Numbers for networks: convolution arithmetic, up-sampling and first layers by hand; parameters, sizes and views of the papers' nets."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need the extra deep")

import torch.nn.functional as F  # noqa: E402

from microtome.networks import build  # noqa: E402
from microtome.networks.arithmetic import (  # noqa: E402
    Interval,
    LegalSizes,
    bilinear_kernel,
    bilinear_side,
    contributions,
    conv_multiply_adds,
    conv_parameters,
    conv_size,
    dilated_stack_field,
    he_deviation,
    receptive_field,
    same_padding,
    transposed_size,
)
from microtome.networks.blocks.activation import activation  # noqa: E402
from microtome.networks.blocks.conv import ConvStyle  # noqa: E402
from microtome.networks.blocks.frame import crop_to  # noqa: E402
from microtome.networks.blocks.initialise import incoming_connections  # noqa: E402
from microtome.networks.blocks.up_sampling import UpSampling  # noqa: E402
from microtome.networks.multiply_adds import multiply_adds  # noqa: E402

torch.set_num_threads(1)

SQUARE = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def plane(rows):
    return torch.tensor(rows, dtype=torch.float32)[None, None]


def rows(tensor):
    return tensor[0, 0].tolist()


def on_meta(name, **settings):
    """A network of shapes only: large ones cost nothing."""
    with torch.device("meta"):
        return build(name, **settings)


def parameters(network):
    real = sum(weights.numel() for weights in network.parameters())
    assert network.expected_parameters() == real
    return real


def giga(network, *size):
    return multiply_adds(network, size) / 1e9


def paper_unet(channels_in, classes, **settings):
    return on_meta("unet", channels_in=channels_in, outputs={"classes": classes}, **({"root": 64, "norm": "none"} | settings))


# Sizes


@pytest.mark.parametrize(
    ("n", "kernel", "more", "out"),
    [
        (6, 3, {}, 4),
        (5, 4, {"stride": 2, "padding": 1}, 2),
        (224, 7, {"stride": 2, "padding": 3}, 112),
        (227, 11, {"stride": 4}, 55),
        (32, 5, {}, 28),
        (572, 3, {}, 570),
        (7, 3, {"padding": 2, "dilation": 2}, 7),
    ],
)
def test_the_side_behind_a_convolution(n, kernel, more, out):
    assert conv_size(n, kernel, **more) == out
    assert F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, kernel), **more).shape[2] == out


@pytest.mark.parametrize(
    ("n", "kernel", "more", "out"),
    [
        (2, 3, {"stride": 2}, 5),
        (2, 3, {"stride": 2, "padding": 1, "output_padding": 1}, 4),
        (2, 2, {"stride": 2}, 4),
        (2, 4, {"stride": 2, "padding": 1}, 4),
        (16, 64, {"stride": 32}, 544),
        (70, 16, {"stride": 8}, 568),
        (2, 3, {}, 4),
    ],
)
def test_the_side_behind_a_transposed_convolution(n, kernel, more, out):
    assert transposed_size(n, kernel, **more) == out
    assert F.conv_transpose1d(torch.zeros(1, 1, n), torch.zeros(1, 1, kernel), **more).shape[2] == out


def test_output_padding_picks_one_of_the_sides_that_share_an_output():
    assert [conv_size(n, 4, stride=2, padding=1) for n in (8, 9)] == [4, 4]
    assert [transposed_size(4, 4, stride=2, padding=1, output_padding=extra) for extra in (0, 1)] == [8, 9]


def test_same_padding_puts_the_odd_zero_behind():
    assert same_padding(8, 3, stride=2) == (0, 1)
    assert same_padding(9, 3, stride=2) == (1, 1)
    assert same_padding(8, 5) == (2, 2)


def test_same_transposed_convolution_drops_the_last_row():
    full = F.conv_transpose2d(plane(SQUARE.tolist()), torch.ones(1, 1, 3, 3), stride=2)
    same = crop_to(full, (4, 4))
    assert rows(same) == rows(full[..., :4, :4])
    assert rows(same) != rows(F.conv_transpose2d(plane(SQUARE.tolist()), torch.ones(1, 1, 3, 3), stride=2, padding=1, output_padding=1))


# Parameters, multiply-adds, first weights, first loss


def test_parameters_of_single_layers():
    assert conv_parameters(3, 64, (3, 3)) == 1_792
    assert conv_parameters(64, 128, (3, 3)) == 73_856
    assert conv_parameters(1024, 512, (2, 2)) == 2_097_664


def test_multiply_adds_of_a_layer():
    assert conv_multiply_adds((224, 224), 3, 64, (3, 3)) == 224 * 224 * 3 * 64 * 9


def test_he_deviations():
    assert he_deviation(9 * 64) == pytest.approx(0.0589256, abs=5e-8)
    assert [he_deviation(n) for n in (27, 72, 144)] == pytest.approx([0.272166, 0.166667, 0.117851], abs=5e-7)


@pytest.mark.parametrize(("classes", "loss"), [(2, 0.6931), (3, 1.0986), (21, 3.0445), (151, 5.0173)])
def test_the_loss_of_a_network_that_knows_nothing_is_ln_of_its_classes(classes, loss):
    zeros = F.cross_entropy(torch.zeros(1, classes, 2, 2), torch.zeros(1, 2, 2, dtype=torch.long))
    assert zeros.item() == pytest.approx(loss, abs=5e-5)


def test_sixteen_full_size_maps_are_a_gibibyte():
    assert 16 * 64 * 512 * 512 * 4 == 1024 * 2**20


# Receptive fields


def test_receptive_fields_of_vgg16():
    stages = [2, 2, 3, 3, 3]
    layers = [layer for convs in stages for layer in [(3, 1, 1)] * convs + [(2, 2, 1)]]
    assert receptive_field(layers) == (212, 32)
    assert receptive_field(layers[:-1]) == (196, 16)


def test_receptive_fields_of_dilated_stacks():
    assert [dilated_stack_field(n) for n in range(1, 7)] == [3, 7, 15, 31, 63, 127]
    assert [dilated_stack_field(n + 1) for n in range(1, 7)] == [7, 15, 31, 63, 127, 255]
    assert [receptive_field([(3, 1, 2**layer) for layer in range(n)])[0] for n in range(1, 7)] == [3, 7, 15, 31, 63, 127]


@pytest.mark.parametrize("layers", range(1, 7))
def test_a_dilated_stack_sees_that_far_by_gradient(layers):
    x = torch.zeros(1, 1, 301, requires_grad=True)
    y = x
    for layer in range(layers):
        y = F.conv1d(y, torch.ones(1, 1, 3), dilation=2**layer, padding=2**layer)
    y[0, 0, 150].backward()
    assert int((x.grad != 0).sum()) == 2 ** (layers + 1) - 1


def test_receptive_fields_of_causal_stacks():
    assert receptive_field([(2, 1, 2**layer) for layer in range(10)])[0] == 1024
    assert receptive_field([(2, 1, 2**layer) for layer in range(10)] * 3)[0] == 3070
    assert receptive_field([(7, 1, d) for d in (1, 2, 4, 8, 16)] * 3)[0] == 559


def test_intervals_of_single_layers():
    pixels = Interval(4, 5)
    assert pixels.before_conv(3, padding=1) == (3, 6)
    assert pixels.before_conv(4, stride=2, padding=1) == (7, 12)
    assert pixels.before_transposed(2, stride=2) == (2, 2)
    assert pixels.before_transposed(3, stride=2) == (1, 2)
    assert pixels.before_nearest(2) == (2, 2)
    assert pixels.before_crop(3) == (7, 8)
    assert pixels.join(Interval(0, 1)) == (0, 5)


# Small fixtures: correlation, its transpose, pooling, activations


def test_correlation_and_its_matrix():
    image, kernel = plane([[1, 2, 3], [6, 5, 3], [1, 4, 1]]), plane([[1, 2], [2, 1]])
    assert rows(F.conv2d(image, kernel)) == [[22, 21], [22, 20]]
    matrix = torch.tensor(
        [[1, 2, 0, 2, 1, 0, 0, 0, 0], [0, 1, 2, 0, 2, 1, 0, 0, 0], [0, 0, 0, 1, 2, 0, 2, 1, 0], [0, 0, 0, 0, 1, 2, 0, 2, 1.0]]
    )
    assert (matrix @ image.flatten()).tolist() == [22, 21, 22, 20]
    assert (matrix.T @ torch.tensor([1, 2, 2, 4.0])).tolist() == [1, 4, 4, 4, 13, 10, 4, 10, 4]
    assert rows(F.conv_transpose2d(plane([[1, 2], [2, 4]]), kernel)) == [[1, 4, 4], [4, 13, 10], [4, 10, 4]]
    assert (matrix.T @ torch.tensor([22, 21, 22, 20.0])).tolist() == [22, 65, 42, 66, 128, 61, 44, 62, 20]


def test_a_network_correlates_and_does_not_convolve():
    edge, kernel = plane([[10, 10, 10, 0, 0, 0]] * 6), plane([[1, 0, -1]] * 3)
    assert rows(F.conv2d(edge, kernel)) == [[0, 30, 30, 0]] * 4
    assert rows(F.conv2d(edge, kernel.flip(2, 3))) == [[0, -30, -30, 0]] * 4
    assert rows(F.conv2d(edge.flip(3), kernel)) == [[0, -30, -30, 0]] * 4


def test_a_mean_along_a_line():
    line, kernel = torch.tensor([[[10.0, 50, 60, 10, 20, 30, 40]]]), torch.full((1, 1, 3), 1 / 3)
    assert F.conv1d(line, kernel)[0, 0].tolist() == pytest.approx([40, 40, 30, 20, 30])
    assert F.conv1d(line, kernel, padding=1)[0, 0].tolist() == pytest.approx([20, 40, 40, 30, 20, 30, 70 / 3])


def test_activations_at_minus_one():
    minus_one = torch.tensor(-1.0)
    assert torch.sigmoid(minus_one).item() == pytest.approx(0.268941, abs=5e-7)
    assert torch.tanh(minus_one).item() == pytest.approx(-0.761594, abs=5e-7)
    assert F.leaky_relu(minus_one, 0.1).item() == pytest.approx(-0.1)
    assert activation("elu")(minus_one).item() == pytest.approx(-0.632121, abs=5e-7)
    assert activation("relu")(minus_one).item() == 0
    assert activation("leaky_relu")(minus_one).item() == pytest.approx(-0.01)


def test_max_pooling():
    assert rows(F.max_pool2d(plane([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]), 2)) == [[6, 8], [3, 4]]


def test_a_column_may_stay_unused():
    assert conv_size(5, 4, stride=2, padding=1) == 2
    x = torch.zeros(1, 1, 5, requires_grad=True)
    F.conv1d(x, torch.ones(1, 1, 4), stride=2, padding=1).sum().backward()
    assert (x.grad != 0).tolist() == [[[True] * 5]]  # the unused column is the padding's last


# Up-sampling


def test_nearest_and_bed_of_nails():
    nearest = UpSampling(1, 1, kind="nearest", style=ConvStyle()).grow(SQUARE[None, None])
    assert rows(nearest) == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    nails = F.conv_transpose2d(SQUARE[None, None], plane([[1, 0], [0, 0]]), stride=2)
    assert rows(nails) == [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]


def test_max_unpooling():
    pooled, where = F.max_pool2d(plane([[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]]), 2, return_indices=True)
    assert rows(pooled) == [[5, 6], [7, 8]]
    assert rows(where) == [[5, 2], [12, 15]]
    assert rows(F.max_unpool2d(SQUARE[None, None], where, 2)) == [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]]


def test_a_transposed_convolution_of_ones():
    image, ones = SQUARE[None, None], torch.ones(1, 1, 3, 3)
    full = F.conv_transpose2d(image, ones, stride=2)
    assert rows(full) == [[1, 1, 3, 2, 2], [1, 1, 3, 2, 2], [4, 4, 10, 6, 6], [3, 3, 7, 4, 4], [3, 3, 7, 4, 4]]
    assert rows(crop_to(full, (4, 4))) == [[1, 1, 3, 2], [1, 1, 3, 2], [4, 4, 10, 6], [3, 3, 7, 4]]
    padded = F.conv_transpose2d(image, ones, stride=2, padding=1, output_padding=1)
    assert rows(padded) == [[1, 3, 2, 2], [4, 10, 6, 6], [3, 7, 4, 4], [3, 7, 4, 4]]


def test_bilinear_up_sampling_is_by_half_pixel_centres():
    half = [[1, 1.25, 1.75, 2], [1.5, 1.75, 2.25, 2.5], [2.5, 2.75, 3.25, 3.5], [3, 3.25, 3.75, 4]]
    assert rows(UpSampling(1, 1, kind="bilinear", style=ConvStyle()).grow(SQUARE[None, None])) == half
    corners = F.interpolate(SQUARE[None, None], scale_factor=2, mode="bilinear", align_corners=True)
    thirds = [[3, 4, 5, 6], [5, 6, 7, 8], [7, 8, 9, 10], [9, 10, 11, 12]]
    assert np.array(rows(corners)) == pytest.approx(np.array(thirds) / 3, abs=1e-6)


def test_bilinear_kernels():
    assert [bilinear_side(factor) for factor in (2, 3, 8, 32)] == [4, 5, 16, 64]
    assert bilinear_kernel(3).tolist() == [0.5, 1, 0.5]
    assert bilinear_kernel(4).tolist() == [0.25, 0.75, 0.75, 0.25]
    assert bilinear_kernel(16).tolist() == [*(n / 16 for n in range(1, 16, 2)), *(n / 16 for n in range(15, 0, -2))]


def test_a_transposed_convolution_interpolates_inside_and_is_darker_at_the_border():
    line = torch.tensor(bilinear_kernel(4), dtype=torch.float32)
    up = F.conv_transpose2d(SQUARE[None, None], (line[:, None] * line)[None, None], stride=2, padding=1)
    assert up[0, 0, 1:3, 1:3].flatten().tolist() == [1.75, 2.25, 2.75, 3.25]
    assert up[0, 0, 0, 0].item() == 0.5625


@pytest.mark.parametrize(
    ("kernel", "stride", "counts"),
    [(2, 2, {1}), (3, 2, {1, 2}), (4, 2, {2}), (5, 2, {2, 3}), (6, 2, {3}), (3, 3, {1}), (4, 3, {1, 2}), (16, 8, {2}), (64, 32, {2})],
)
def test_the_checkerboard_rule(kernel, stride, counts):
    assert set(contributions(kernel, stride)) == counts
    assert (len(counts) == 1) == (kernel % stride == 0)
    inside = F.conv_transpose1d(torch.ones(1, 1, 9), torch.ones(1, 1, kernel), stride=stride)[0, 0, kernel : -kernel or None]
    assert set(inside.tolist()) == counts


# U-Net: sizes


@pytest.mark.parametrize(("depth", "least", "step", "lost"), [(3, 44, 4, 40), (4, 92, 8, 88), (5, 188, 16, 184)])
def test_the_size_algebra_of_valid_unets(depth, least, step, lost):
    unet = on_meta("unet", channels_in=1, outputs={"classes": 2}, depth=depth, root=1, padding="valid", norm="none")
    assert unet.sizes == LegalSizes(least, step)
    assert unet.output_size((least,)) == (4,)
    for n in range(1, 700):
        assert (n in unet.sizes) == (layer_by_layer(n, depth) is not None)
        if n in unet.sizes:
            assert unet.output_size((n,)) == (n - lost,) == (layer_by_layer(n, depth),)
    for bottom in range(4, 40):
        side = 2 ** (depth - 1) * bottom + 4 * (2**depth - 1)
        assert side in unet.sizes
        assert unet.output_size((side,))[0] == 2 ** (depth - 1) * bottom - 4 * (2 ** (depth - 1) - 1)


def layer_by_layer(n, depth):
    """The output's side of a valid U-Net, or None where a pooling would drop a pixel or nothing is left."""
    skips = []
    for level in range(depth):
        n -= 4
        if n < 1 or (level < depth - 1 and n % 2):
            return None
        skips.append(n)
        n = n // 2 if level < depth - 1 else n
    for skip in reversed(skips[:-1]):
        n = 2 * n
        assert n <= skip
        assert (skip - n) % 2 == 0
        n -= 4
        if n < 1:
            return None
    return n


def test_the_sides_of_the_papers_unet_level_by_level():
    unet = paper_unet(1, 2, padding="valid").eval()
    seen = {}
    for name in ("contracting", "ups", "expanding"):
        for level, part in enumerate(getattr(unet, name)):
            part.register_forward_hook(lambda part, x, y, key=(name, level): seen.__setitem__(key, y.shape[2]))
    assert unet(torch.empty(1, 1, 572, 572, device="meta"))["classes"].shape == (1, 2, 388, 388)
    assert [seen["contracting", level] for level in range(5)] == [568, 280, 136, 64, 28]
    assert [seen["ups", level] for level in range(4)] == [392, 200, 104, 56]
    assert [seen["expanding", level] for level in range(4)] == [388, 196, 100, 52]
    assert unet.crops == (88, 40, 16, 4)
    assert unet.margin == 92


def test_sides_that_papers_name():
    assert paper_unet(3, 2, depth=3, padding="valid").output_size((420, 580)) == (380, 540)
    volume = paper_unet(1, 2, depth=4, dimensions=3, root=1, padding="valid")
    assert volume.output_size((132, 132, 116)) == (44, 44, 28)
    assert 512 not in paper_unet(1, 2, padding="valid").sizes
    assert 572 % 16 == 12


# U-Net: parameters, multiply-adds, receptive fields


@pytest.mark.parametrize(
    ("channels_in", "classes", "settings", "wanted"),
    [
        (1, 2, {}, 31_030_658),
        (1, 1, {}, 31_030_593),
        (3, 2, {}, 31_031_810),
        (3, 21, {}, 31_033_045),
        (1, 2, {"up_bias": False}, 31_030_658 - 960),
        (1, 2, {"padding": "valid"}, 31_030_658),
        (3, 1, {"norm": "batch"}, 31_037_633),
        (3, 1, {"norm": "batch", "conv_bias": True, "up": "nearest"}, 34_527_041),
        (3, 1, {"root": 16, "activation": "elu", "dropout": (0.1, 0.1, 0.2, 0.2, 0.3)}, 1_941_105),
        (1, 1, {"root": 16}, 1_940_817),
        (3, 1, {"root": 32}, 7_760_097),
        (3, 2, {"root": 8, "depth": 3}, 29_474),
        (1, 2, {"root": 8, "depth": 3}, 29_330),
        (1, 2, {"root": 16, "depth": 3}, 116_770),
        (3, 2, {"root": 16, "depth": 3}, 117_058),
        (1, 2, {"depth": 4}, 7_696_258),
    ],
)
def test_parameters_of_unets(channels_in, classes, settings, wanted):
    assert parameters(paper_unet(channels_in, classes, **settings)) == wanted


@pytest.mark.parametrize(("channels_in", "classes", "root", "depth"), [(1, 2, 64, 5), (3, 1, 16, 5), (3, 2, 8, 3)])
def test_the_closed_form_of_a_unets_parameters(channels_in, classes, root, depth):
    widths = [root * 2**level for level in range(depth)]
    down = sum(9 * above * w + 9 * w * w + 2 * w for above, w in zip([channels_in, *widths], widths, strict=False))
    up = sum(8 * w * w + 27 * w * w + 3 * w for w in widths[:-1])
    assert parameters(paper_unet(channels_in, classes, root=root, depth=depth)) == down + up + (root + 1) * classes


def test_the_papers_unet_has_23_convolutions():
    layers = [layer for layer in paper_unet(1, 2).modules() if isinstance(layer, (torch.nn.Conv2d, torch.nn.ConvTranspose2d))]
    assert len(layers) == 23
    assert sum(layer.kernel_size == (3, 3) for layer in layers) == 18
    assert sum(isinstance(layer, torch.nn.ConvTranspose2d) for layer in layers) == 4


def test_multiply_adds_of_unets():
    assert giga(paper_unet(1, 2, padding="valid"), 572, 572) == pytest.approx(150, abs=0.5)
    assert giga(paper_unet(3, 1), 512, 512) == pytest.approx(193, abs=0.5)
    assert giga(paper_unet(3, 1, root=16), 256, 256) == pytest.approx(3.0, abs=0.05)


def test_receptive_fields_of_unets():
    unet = paper_unet(1, 2)
    assert unet.bottom_receptive_field() == 140
    assert unet.receptive_field() == (188, 204)
    assert paper_unet(1, 2, padding="valid").receptive_field() == (188, 204)
    assert paper_unet(3, 2, depth=3, padding="valid").receptive_field() == (44, 44)


def test_the_3d_unet():
    volume = {"depth": 4, "root": 32, "dimensions": 3, "doubling": "before_pooling", "padding": "valid"}
    every_term = paper_unet(3, 3, **volume, norm="batch", conv_bias=True)
    assert parameters(every_term) == 19_075_523
    assert parameters(paper_unet(3, 3, **volume, up_bias=False)) == 19_069_955  # the count the paper prints
    assert giga(every_term, 132, 132, 116) == pytest.approx(267, abs=0.5)
    assert every_term.bottom_receptive_field() == 68
    assert every_term.receptive_field() == (92, 100)
    assert every_term.output_size((132, 132, 116)) == (44, 44, 28)


# tf_unet, the encoder-decoder, the plain stack, an encoder from elsewhere


def test_the_tf_unet_form():
    unet = on_meta("tf_unet", channels_in=3, outputs={"classes": 2}, root=8)
    assert parameters(unet) == 29_474
    assert unet.receptive_field() == (44, 44)
    assert unet.output_size((420, 580)) == (380, 540)
    assert giga(unet, 420, 580) == pytest.approx(1.4, abs=0.05)
    assert parameters(on_meta("tf_unet", channels_in=1, outputs={"classes": 2}, root=8)) == 29_330
    assert [parameters(on_meta("tf_unet", channels_in=c, outputs={"classes": 2})) for c in (3, 1)] == [117_058, 116_770]
    assert parameters(on_meta("tf_unet", channels_in=1, outputs={"classes": 2}, depth=5, root=64)) == 31_030_658


def test_tf_unet_weighs_its_first_layer_by_what_it_gives_not_by_what_it_takes():
    first = build("tf_unet", channels_in=3, outputs={"classes": 2}, root=8).contracting[0][0][0]
    assert he_deviation(9 * 8) == pytest.approx(0.1667, abs=5e-5)
    assert he_deviation(incoming_connections(first)) == pytest.approx(0.2722, abs=5e-5)
    assert first.weight.abs().max().item() <= 2 * 0.1667  # a normal cut at two deviations
    assert first.weight.std().item() == pytest.approx(0.88 * 0.1667, rel=0.15)


def test_the_encoder_decoder_of_listing_6_4():
    network = on_meta("encoder_decoder", channels_in=3, outputs={"mask": 1})
    assert parameters(network) == 34_475_585
    assert sum(weights.numel() for weights in network.encoder.parameters()) == 18_843_200
    decoder = [*network.decoder.parameters(), *network.heads.parameters()]
    assert sum(weights.numel() for weights in decoder) == 15_632_385
    assert network.bottom_receptive_field() == 140
    assert network.receptive_field() == (140, 156)
    assert network.sizes == LegalSizes(16, 16)
    assert giga(network, 128, 128) == pytest.approx(8.5, abs=0.05)
    assert giga(network, 512, 512) == pytest.approx(136, abs=0.5)
    assert [(up.in_channels, up.out_channels) for up in network.decoder] == [(1024, 1024), (1024, 512), (512, 256), (256, 128)]


def test_the_encoder_decoder_starts_as_printed():
    network = build("encoder_decoder", channels_in=3, outputs={"mask": 1}, root=8)
    for weights in (network.encoder[3][1][0].weight, network.encoder[4][0][0].bias, network.decoder[0].weight):
        assert weights.std().item() == pytest.approx(0.02, rel=0.25)


@pytest.mark.parametrize(("layers", "wanted", "cost", "field"), [(4, 112_771, 5.7, 9), (8, 260_483, 13, 17), (16, 555_907, 28, 33)])
def test_the_same_resolution_network(layers, wanted, cost, field):
    network = on_meta("fcn_same", channels_in=3, outputs={"classes": 3}, layers=layers)
    assert parameters(network) == wanted == (27 * 64 + 64) + (layers - 1) * (9 * 64**2 + 64) + (64 + 1) * 3
    assert giga(network, 224, 224) == pytest.approx(cost, abs=0.5 if cost > 10 else 0.06)
    assert network.receptive_field() == (field, field)


@pytest.mark.parametrize(
    ("encoder", "classes", "wanted"), [("resnet34", 1, 24_436_369), ("resnet50", 21, 32_524_005), ("resnet101", 21, 51_516_133)]
)
def test_unets_on_resnets(encoder, classes, wanted):
    network = on_meta("smp", channels_in=3, outputs={"classes": classes}, encoder=encoder)
    assert parameters(network) == wanted
    assert network.sizes.step == 32
    if encoder == "resnet34":
        parts = (network.model.encoder, network.model.decoder, network.model.segmentation_head)
        assert [sum(weights.numel() for weights in part.parameters()) for part in parts] == [21_284_672, 3_151_552, 145]


def test_a_plain_network_starts_with_the_loss_of_one_that_knows_nothing_when_its_head_is_zero():
    network = build("fcn_same", channels_in=1, outputs={"classes": 3}, layers=1, width=4)
    for weights in network.heads.parameters():
        torch.nn.init.zeros_(weights)
    logits = network(torch.rand(1, 1, 8, 8))["classes"]
    assert F.cross_entropy(logits, torch.ones(1, 8, 8, dtype=torch.long)).item() == pytest.approx(math.log(3))
