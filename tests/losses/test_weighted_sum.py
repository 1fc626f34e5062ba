"""Sums of losses from the plain data of a recipe, and deep supervision."""

import pytest
import torch

from microtome.core.errors import InputError, RecipeError
from microtome.losses.deep_supervision import at_size, deep_supervision, scale_weights
from microtome.losses.dense.cross_entropy import cross_entropy
from microtome.losses.dense.dice import dice
from microtome.losses.weighted_sum import weighted_sum


def batch():
    random = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, 8, 8, generator=random), torch.randint(3, (2, 8, 8), generator=random)


def test_total_and_parts():
    logits, target = batch()
    loss = weighted_sum([("cross_entropy", 1.0, {"label_smoothing": 0.1}), ("dice", 0.5, {"squared": True})])
    leaf = logits.requires_grad_()
    found = loss(leaf, target, ignore=2)
    first, second = cross_entropy(logits, target, ignore=2, label_smoothing=0.1), dice(logits, target, ignore=2, squared=True)
    assert found.total.item() == pytest.approx((first + 0.5 * second).item(), rel=1e-6)
    assert list(found.parts) == ["cross_entropy", "dice"]
    assert found.parts["dice"].item() == pytest.approx(second.item())
    assert not found.parts["dice"].requires_grad
    found.total.backward()
    assert leaf.grad.abs().sum() > 0


@pytest.mark.parametrize(
    "written",
    [
        "dice",
        ["dice"],
        [["dice"]],
        [("dice", 1)],
        [["dice", 1.0, None]],
        [{"dice": None}],
        [{"dice": {"factor": 1}}],
    ],
)
def test_ways_to_write_one(written):
    assert weighted_sum(written).document() == [["dice", 1.0, {}]]


def test_what_it_prints_it_reads():
    loss = weighted_sum([{"cross_entropy": {"factor": 2, "class_weights": [1, 2, 3]}}, "dice", ("dice", 0.25, {"per_image": True})])
    assert [part.key for part in loss.parts] == ["cross_entropy", "dice", "dice_2"]
    assert weighted_sum(loss.document()) == loss


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ([], "at least one loss"),
        (["dise"], r"train\.loss\[0\]: unknown loss 'dise'; did you mean dice"),
        (["dice", ("tversky", 1.0, {"alfa": 1})], r"train\.loss\[1\]\.alfa: tversky has no such setting; did you mean alpha"),
        ([("tversky", 1.0, {"alpha": -1})], r"train\.loss\[0\]\.alpha: found -1, expected a number \(from 0\)"),
        ([("dice", -1.0)], r"train\.loss\[0\]\.factor: found -1.0"),
        ([("dice", True)], "factor: found True"),
        ([("dice", float("nan"))], "factor: found nan"),
        ([("dice", 1.0, 3)], "settings are written"),
        ([3], r"train\.loss\[0\]: found 3, expected a loss"),
        ([(3, 1.0)], "expected the name of a loss"),
        ([{"dice": {}, "bce": {}}], "expected a loss"),
        ([("dice", 1.0, {"weight": 2})], "weight: dice has no such setting"),
    ],
)
def test_mistakes_name_their_place(written, message):
    with pytest.raises(RecipeError, match=message):
        weighted_sum(written, "train.loss")


def test_scales_count_half_as_much_each():
    logits, target = batch()
    scales = [logits, logits[:, :, ::2, ::2], logits[:, :, ::4, ::4]]
    found = deep_supervision(scales, target, loss=cross_entropy, ignore=2)
    sized = [target, target[:, 1::2, 1::2], target[:, 2::4, 2::4]]
    each = [cross_entropy(x, t, ignore=2).item() for x, t in zip(scales, sized, strict=True)]
    assert found.item() == pytest.approx((4 * each[0] + 2 * each[1] + each[2]) / 7, rel=1e-6)
    without = deep_supervision(scales, target, loss=cross_entropy, ignore=2, drop_coarsest=True)
    assert without.item() == pytest.approx((2 * each[0] + each[1]) / 3, rel=1e-6)
    weight = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(1))
    weighted = deep_supervision(scales[1:2], target, loss=cross_entropy, weight=weight)
    assert weighted.item() == pytest.approx(cross_entropy(scales[1], sized[1], weight=weight[:, 1::2, 1::2]).item(), rel=1e-6)


def test_no_scale_left():
    with pytest.raises(InputError, match="less the coarsest leave no scale"):
        scale_weights(1, drop_coarsest=True)


@pytest.mark.parametrize("size", [(5,), (3,), (7,), (1,)])
def test_sizes_take_the_pixel_under_their_centre(size):
    values = torch.arange(10)[None]
    expected = torch.nn.functional.interpolate(values[None].float(), size=size, mode="nearest-exact")[0, 0]
    assert torch.equal(at_size(values, size)[0].float(), expected)
