"""What every loss of the catalogue promises: a new file is tested by existing."""

import inspect
import re

import pytest
import torch

from microtome.core.errors import InputError, RecipeError
from microtome.losses import catalogue

NUMBERS = ("l1", "mse", "smooth_l1")
NAMES = [name for name in catalogue.names() if name not in NUMBERS]
ONE_CHANNEL = ("lovasz_hinge",)
SEVERAL_CHANNELS = ("cross_entropy",)
SMALL = {"ohem": {"min_kept": 1}, "top_k": {"percent": 40.0}, "tversky": {"gamma": 4 / 3}, "jaccard": {"log": True}}

CASES = [
    pytest.param(name, channels, id=f"{name}-{channels}")
    for name in NAMES
    for channels in (1, 3)
    if not (channels == 1 and name in SEVERAL_CHANNELS) and not (channels > 1 and name in ONE_CHANNEL)
]
each = pytest.mark.parametrize(("name", "channels"), CASES)
wherever_pixels_lie = pytest.mark.parametrize(("name", "channels"), [case for case in CASES if case.values[0] != "boundary"])


def batch(channels, shape=(5, 6), images=2, seed=0, dtype=torch.float64):
    random = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(images, channels, *shape, generator=random, dtype=torch.float64)
    target = torch.randint(max(channels, 2), (images, *shape), generator=random)
    return logits.to(dtype), target


def loss_of(name):
    loss = catalogue.load(name)
    return lambda *args, **more: loss(*args, **{**SMALL.get(name, {}), **more})


def with_gradient(name, logits, target, **more):
    logits = logits.detach().clone().requires_grad_()
    value = loss_of(name)(logits, target, **more)
    value.backward()
    return value.detach(), logits.grad


@each
def test_gradients_are_those_of_the_value(name, channels):
    logits, target = batch(channels, (3, 4), images=1)
    loss = loss_of(name)
    assert torch.autograd.gradcheck(lambda x: loss(x, target, ignore=0), logits.requires_grad_())


@wherever_pixels_lie
@pytest.mark.parametrize("shape", [(30,), (5, 6), (2, 3, 5)])
def test_any_number_of_spatial_axes_gives_the_same_number(name, channels, shape):
    logits, target = batch(channels, (30,))
    expected = loss_of(name)(logits, target)
    found = loss_of(name)(logits.reshape(2, channels, *shape), target.reshape(2, *shape))
    assert found == pytest.approx(expected.item(), rel=1e-12)


@each
def test_volumes_are_taken(name, channels):
    logits, target = batch(channels, (3, 4, 5))
    assert torch.isfinite(loss_of(name)(logits, target))


@each
def test_ignored_pixels_leave_no_trace(name, channels):
    logits, target = batch(channels)
    target[:, 1:3, 2:4] = 255
    value, gradient = with_gradient(name, logits, target, ignore=255)
    assert (gradient[:, :, 1:3, 2:4] == 0).all()
    changed = logits.clone()
    changed[:, :, 1:3, 2:4] = 7.0
    other, _ = with_gradient(name, changed, target, ignore=255)
    assert value == other
    if name != "boundary":  # the others do not look at where pixels lie: the same as without them
        kept = (target != 255).reshape(2, -1)
        fewer = torch.stack([x.reshape(channels, -1)[:, k] for x, k in zip(logits, kept, strict=True)])
        alone = loss_of(name)(fewer, torch.stack([t.reshape(-1)[k] for t, k in zip(target, kept, strict=True)]))
        assert value.item() == pytest.approx(alone.item(), rel=1e-12)


@wherever_pixels_lie
def test_a_pixel_of_weight_nothing_is_an_ignored_one(name, channels):
    logits, target = batch(channels)
    weight = torch.ones(target.shape, dtype=torch.float64)
    weight[0, 2:4] = 0
    marked = target.clone()
    marked[0, 2:4] = -1
    assert loss_of(name)(logits, target, weight=weight).item() == pytest.approx(loss_of(name)(logits, marked, ignore=-1).item(), rel=1e-12)


@each
def test_weights_of_one_and_of_seven_are_no_weights(name, channels):
    logits, target = batch(channels)
    plain = loss_of(name)(logits, target, **({"eps": 0.0} if "eps" in catalogue.settings(name) else {})).item()
    for factor in (1.0, 7.0):
        weight = torch.full(target.shape, factor, dtype=torch.float64)
        found = loss_of(name)(logits, target, weight=weight, **({"eps": 0.0} if "eps" in catalogue.settings(name) else {}))
        assert found.item() == pytest.approx(plain, rel=1e-12)


@each
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_nothing_valid_is_nothing_lost(name, channels, dtype):
    logits, target = batch(channels, dtype=dtype)
    value, gradient = with_gradient(name, logits, torch.full_like(target, 255), ignore=255)
    assert value == 0
    assert gradient.dtype == dtype
    assert (gradient == 0).all()


@wherever_pixels_lie
def test_soft_targets_of_zero_and_one_are_classes(name, channels):
    logits, target = batch(channels)
    target[0, 0, :3] = 255
    clean = torch.where(target == 255, 0, target)
    shares = torch.nn.functional.one_hot(clean, max(channels, 2)).movedim(-1, 1).double()
    shares = shares[:, 1:] if channels == 1 else shares
    shares = torch.where((target == 255).unsqueeze(1), 255.0, shares)
    soft = loss_of(name)(logits, shares, ignore=255)
    assert soft.item() == pytest.approx(loss_of(name)(logits, target, ignore=255).item(), rel=1e-12)


@each
def test_half_precision_is_summed_in_single(name, channels):
    logits, target = batch(channels, dtype=torch.bfloat16)
    value, gradient = with_gradient(name, logits, target)
    exact, slope = with_gradient(name, logits.double(), target)
    assert value.dtype == torch.float32
    assert gradient.dtype == torch.bfloat16
    assert value.item() == pytest.approx(exact.item(), rel=1e-5, abs=1e-6)
    torch.testing.assert_close(gradient.double(), slope, rtol=1e-2, atol=1e-4)


@each
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("right", [True, False])
def test_logits_of_a_thousand_stay_finite(name, channels, dtype, right):
    _, target = batch(channels)
    shares = torch.nn.functional.one_hot(target, max(channels, 2)).movedim(-1, 1)[:, -channels:]
    logits = torch.where((shares == 1) == right, 1000.0, -1000.0).to(dtype)
    value, gradient = with_gradient(name, logits, target)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()
    if right and name != "boundary":
        assert value.abs() < 1e-6
        assert gradient.abs().max() < 1e-6
    if not right:
        assert value > 0.3


@each
def test_a_step_downhill_lowers_it(name, channels):
    logits, target = batch(channels)
    value, gradient = with_gradient(name, logits, target)
    assert loss_of(name)(logits - 1e-3 * gradient / gradient.norm(), target) < value


@wherever_pixels_lie
def test_the_order_of_the_pixels_does_not_matter(name, channels):
    logits, target = batch(channels, (30,))
    order = torch.randperm(30, generator=torch.Generator().manual_seed(3))
    assert loss_of(name)(logits[..., order], target[..., order]).item() == pytest.approx(loss_of(name)(logits, target).item(), rel=1e-12)


@each
def test_inputs_are_left_as_they_were(name, channels):
    logits, target = batch(channels)
    target[0, 0, 0] = 255
    before = logits.clone(), target.clone()
    loss_of(name)(logits, target, ignore=255)
    assert torch.equal(logits, before[0])
    assert torch.equal(target, before[1])


@each
def test_a_class_without_a_channel_is_named(name, channels):
    logits, target = batch(channels)
    target[1, 0, 0] = 9
    with pytest.raises(InputError, match=rf"class 9; {channels} channel"):
        loss_of(name)(logits, target)
    with pytest.raises(InputError, match=r"shape \(2, 5, 5\)"):
        loss_of(name)(logits, target[:, :, 1:])
    with pytest.raises(InputError, match="pixel weights have shape"):
        loss_of(name)(logits, target, weight=torch.ones(2), ignore=9)
    with pytest.raises(InputError, match="floating-point"):
        loss_of(name)(logits.long(), target, ignore=9)


@pytest.mark.parametrize("name", catalogue.names())
def test_all_are_called_alike_and_described(name):
    loss = catalogue.load(name)
    parameters = inspect.signature(loss).parameters
    assert list(parameters)[:4] == ["outputs", "target", "weight", "ignore"]
    assert all(p.kind is p.KEYWORD_ONLY for p in list(parameters.values())[2:])
    for section in ("Parameters", "Returns", "Raises", "Examples"):
        assert f"\n{section}\n" in inspect.getdoc(loss)
    for setting in catalogue.settings(name).values():
        assert re.search(rf"^(\w+, )*{setting.name}(, \w+)* :", inspect.getdoc(loss), re.MULTILINE)
        assert setting.check(setting.default, setting.name) == setting.default
        with pytest.raises(RecipeError, match=rf"did you mean .*{setting.name}"):
            catalogue.check(name, {f"{setting.name}{setting.name[-1]}": 1})


@pytest.mark.parametrize("name", NUMBERS)
def test_losses_of_numbers(name):
    random = torch.Generator().manual_seed(1)
    outputs = torch.randn(2, 2, 4, 5, generator=random, dtype=torch.float64)
    target = torch.randn(2, 2, 4, 5, generator=random, dtype=torch.float64)
    loss = catalogue.load(name)
    assert torch.autograd.gradcheck(lambda x: loss(x, target), outputs.clone().requires_grad_())
    assert loss(outputs, outputs) == 0
    weight = torch.zeros(2, 4, 5)
    assert loss(outputs, target, weight=weight) == 0
    weight[0, 0] = 3
    assert loss(outputs, target, weight=weight).item() == pytest.approx(loss(outputs[:1, :, :1], target[:1, :, :1]).item())
    hidden = target.clone()
    hidden[:, :, 2] = 255
    expected = loss(outputs[:, :, [0, 1, 3]], target[:, :, [0, 1, 3]]).item()
    assert loss(outputs, hidden, ignore=255).item() == pytest.approx(expected)
    one = loss(outputs[:, :1], target[:, 0])
    assert one.item() == pytest.approx(loss(outputs[:, :1], target[:, :1]).item())
    with pytest.raises(InputError, match="need that shape"):
        loss(outputs, torch.zeros(2, 4, 5, dtype=torch.int64))
