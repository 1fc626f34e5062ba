"""What holds for every network of the catalogue, so that a new one is tested by being there."""

from __future__ import annotations

import copy

import pytest
import torch

from microtome.core.errors import InputError
from microtome.networks import build, load, names, settings_of
from microtome.networks.weights import dump_weights, load_weights

OUTPUTS = {"classes": 3, "distance": 1}
SMALL = {
    "encoder_classifier": {"root": 2},
    "encoder_decoder": {"root": 2},
    "fcn_same": {"layers": 2, "width": 4},
    "smp": {"encoder": "tu-mobilenetv3_small_050"},
    "tf_unet": {"root": 2},
    "timm_unet": {"encoder": "mobilenetv3_small_050", "width": 2},
    "unet": {"root": 2},
}


@pytest.fixture(params=names())
def name(request):
    return request.param


def small(name, seed=0, **more):
    return build(name, channels_in=2, outputs=OUTPUTS, seed=seed, **SMALL.get(name, {}), **more)


def batch(network, count=2):
    side = network.sizes.at_least(40)
    sides = [side + axis * network.sizes.step for axis in range(network.dimensions)]
    return torch.rand(count, 2, *sides, generator=torch.Generator().manual_seed(0))


def test_it_answers_every_output_at_the_size_it_promises(name):
    network = small(name)
    x = batch(network)
    answers = network(x)
    assert list(answers) == list(OUTPUTS)
    for output, channels in OUTPUTS.items():
        assert tuple(answers[output].shape) == (2, channels, *network.output_size(x.shape[2:]))


def test_it_has_as_many_parameters_as_it_expects(name):
    network = small(name)
    assert network.expected_parameters() == sum(weights.numel() for weights in network.parameters())


def test_every_weight_learns(name):
    network = small(name)
    sum(y.square().mean() for y in network(batch(network)).values()).backward()
    without = [key for key, weights in network.named_parameters() if weights.grad is None]
    assert not without


def test_the_input_stays_as_it_was(name):
    network = small(name)
    x = batch(network)
    before = x.clone()
    network(x)
    assert torch.equal(x, before)


def test_other_sides_are_padded_inside_or_refused_with_the_nearest_legal_ones(name):
    network = small(name).eval()
    x = batch(network, 1)[..., 1:]
    if network.pads_inside:
        assert tuple(network(x)["classes"].shape[2:]) == network.output_size(x.shape[2:])
        assert network.output_size(x.shape[2:]) in (tuple(x.shape[2:]), ())  # of every pixel, or of the whole image
    else:
        below, above = network.legal_sizes(x.shape[-1])
        assert below < x.shape[-1] < above
        with pytest.raises(InputError, match=f"no side of {x.shape[-1]} pixels.*{below} and {above}"):
            network(x)


def test_the_same_seed_gives_the_same_bytes_and_leaves_torchs_own_state(name):
    state = torch.random.get_rng_state()
    first = dump_weights(small(name, seed=3))
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(5)
    assert dump_weights(small(name, seed=3)) == first
    assert dump_weights(small(name, seed=4)) != first


def test_weights_go_to_bytes_and_back(name):
    network, other = small(name), small(name, seed=1)
    x = batch(network, 1)
    network(x)  # moves the running statistics, which travel too
    assert load_weights(other, dump_weights(network)) == ()
    network.eval(), other.eval()
    assert all(torch.equal(network(x)[output], other(x)[output]) for output in OUTPUTS)


def test_channels_last_gives_the_same_answers(name):
    network = small(name).eval()
    x = batch(network)
    plain = network(x)
    last = copy.deepcopy(network).to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last))
    for output in OUTPUTS:
        torch.testing.assert_close(last[output], plain[output], rtol=1e-4, atol=1e-5)


def test_bfloat16_is_close(name):
    network = small(name).eval()
    x = batch(network)
    with torch.no_grad():
        exact = network(x)
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(x)
        whole = copy.deepcopy(network).bfloat16()(x.bfloat16())
    for output in OUTPUTS:
        scale = exact[output].abs().max()
        assert (rough[output] - exact[output]).abs().max() <= 0.1 * scale
        assert whole[output].dtype == torch.bfloat16
        assert (whole[output] - exact[output]).abs().max() <= 0.1 * scale


def test_every_image_of_a_batch_is_answered_for_itself(name):
    network = small(name).eval()
    x = batch(network, 3)
    together, alone = network(x), network(x[1:2])
    for output in OUTPUTS:
        torch.testing.assert_close(together[output][1:2], alone[output], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 64, 64), r"takes batches \(N, C, y, x\), got shape \(2, 64, 64\)"),
        ((1, 64, 64, 2), r"built for 2 channel\(s\), got shape \(1, 64, 64, 2\): channels are axis 1"),
        ((1, 2, 0, 64), r"empty image"),
    ],
)
def test_a_batch_of_the_wrong_shape_is_refused(name, shape, message):
    with pytest.raises(InputError, match=message):
        small(name)(torch.zeros(shape))


def test_a_batch_of_whole_numbers_is_refused(name):
    with pytest.raises(InputError, match="floating-point batches, got uint8"):
        small(name)(torch.zeros(1, 2, 64, 64, dtype=torch.uint8))


def test_every_setting_has_a_default_that_passes_its_own_check(name):
    for key, setting in settings_of(load(name)).items():
        assert not setting.required
        assert setting.check(setting.default, key) == setting.default
