"""Cross-entropy's own settings, beside torch's."""

import pytest
import torch
from torch.nn import functional

from microtome.core.errors import InputError, RecipeError
from microtome.losses.dense.bce import bce
from microtome.losses.dense.cross_entropy import cross_entropy
from microtome.losses.dense.focal import focal


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, (1.0, 0.5, 4.0)])
def test_equals_torch(smoothing, weights):
    random = torch.Generator().manual_seed(4)
    logits = torch.randn(2, 3, 7, 5, generator=random, dtype=torch.float64)
    target = torch.randint(3, (2, 7, 5), generator=random)
    target[0, :2] = -1
    each = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    expected = functional.cross_entropy(logits, target, each, label_smoothing=smoothing, ignore_index=-1)
    found = cross_entropy(logits, target, ignore=-1, class_weights=weights, label_smoothing=smoothing)
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)


def test_class_weights_of_soft_targets_are_those_of_their_classes():
    logits = torch.randn(1, 3, 6, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    target = torch.tensor([[0, 1, 2, 2, 1, 0]])
    shares = functional.one_hot(target, 3).movedim(-1, 1).double()
    settings = {"class_weights": (1.0, 2.0, 3.0), "label_smoothing": 0.1}
    assert cross_entropy(logits, shares, **settings).item() == pytest.approx(cross_entropy(logits, target, **settings).item(), rel=1e-12)


def test_pixel_weights_are_divided_out_or_not():
    logits = torch.tensor([[[2.0, 0.0], [0.0, 0.0]]], dtype=torch.float64)
    target, weight = torch.tensor([[0, 1]]), torch.tensor([[3.0, 1.0]])
    first, second = torch.log1p(torch.exp(torch.tensor(-2.0, dtype=torch.float64))).item(), torch.log(torch.tensor(2.0)).item()
    assert cross_entropy(logits, target, weight=weight).item() == pytest.approx((3 * first + second) / 4)
    assert cross_entropy(logits, target, weight=weight, reduction="pixels").item() == pytest.approx((3 * first + second) / 2)


def test_numbers_of_weights_are_checked():
    logits, target = torch.zeros(1, 3, 4), torch.zeros(1, 4, dtype=torch.int64)
    with pytest.raises(RecipeError, match="found 2 numbers, expected 3"):
        cross_entropy(logits, target, class_weights=(1.0, 2.0))
    with pytest.raises(RecipeError, match="found 2 numbers, expected one or 3"):
        bce(logits, target, pos_weight=(1.0, 2.0))
    with pytest.raises(RecipeError, match="expected 3 numbers"):
        focal(logits, target, alpha=0.25)
    with pytest.raises(InputError, match="one class a pixel is a whole number"):
        cross_entropy(logits, target.float())


def test_bce_of_classes_asks_each_channel():
    logits = torch.randn(1, 3, 5, generator=torch.Generator().manual_seed(6))
    target = torch.tensor([[0, 1, 2, 1, 0]])
    shares = functional.one_hot(target, 3).movedim(-1, 1).float()
    weights = torch.tensor([1.0, 2.0, 3.0])
    expected = functional.binary_cross_entropy_with_logits(logits, shares, pos_weight=weights.reshape(3, 1))
    assert bce(logits, target, pos_weight=(1.0, 2.0, 3.0)).item() == pytest.approx(expected.item())


def test_focal_without_focus_is_cross_entropy():
    logits = torch.randn(1, 3, 8, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    target = torch.tensor([[0, 1, 2, 1, 0, 0, 2, 1]])
    assert focal(logits, target, gamma=0.0).item() == pytest.approx(cross_entropy(logits, target).item(), rel=1e-12)
    even = focal(logits, target, alpha=(0.5, 0.5, 0.5))
    assert even.item() == pytest.approx(focal(logits, target).item() / 2, rel=1e-12)
