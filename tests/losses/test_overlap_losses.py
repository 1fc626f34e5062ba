"""Dice, Jaccard, Tversky, generalised Dice and Lovász: empty classes, images apart, and what they have in common."""

from itertools import pairwise

import pytest
import torch

from microtome.core.errors import InputError
from microtome.losses.dense.dice import dice
from microtome.losses.dense.generalised_dice import generalised_dice
from microtome.losses.dense.jaccard import jaccard
from microtome.losses.dense.lovasz import lovasz
from microtome.losses.dense.lovasz_hinge import lovasz_hinge
from microtome.losses.dense.tversky import tversky


def shares(seed=0, classes=3, pixels=40, images=2):
    random = torch.Generator().manual_seed(seed)
    p = torch.rand(images, classes, pixels, generator=random, dtype=torch.float64)
    return p / p.sum(1, keepdim=True), torch.randint(classes, (images, pixels), generator=random)


def test_a_class_the_truth_lacks_is_dropped_or_kept():
    p, target = shares()
    target[target == 2] = 0
    two = torch.stack([dice(p[:, c : c + 1], (target == c).double().unsqueeze(1), activation="none") for c in (0, 1)])
    assert dice(p, target, activation="none").item() == pytest.approx(two.mean().item(), rel=1e-12)
    third = dice(p[:, 2:], torch.zeros_like(p[:, 2:]), activation="none", keep_empty=True)
    assert third > 0.99
    kept = dice(p, target, activation="none", keep_empty=True)
    assert kept.item() == pytest.approx((two.sum() + third).item() / 3, rel=1e-12)


def test_an_empty_truth_is_silent_unless_kept():
    p = torch.full((1, 1, 4), 0.1, dtype=torch.float64)
    empty = torch.zeros(1, 4, dtype=torch.int64)
    for loss in (dice, jaccard, tversky, lovasz):
        assert loss(p, empty, activation="none") == 0
        assert loss(p, empty, activation="none", keep_empty=True) > 0
    everywhere_none = torch.zeros(1, 1, 4, dtype=torch.float64)
    assert dice(everywhere_none, empty, activation="none", eps=0.0, keep_empty=True) == 0


def test_images_pooled_or_alone():
    p, target = shares()
    alone = sum(dice(p[k : k + 1], target[k : k + 1], activation="none").item() for k in range(2)) / 2
    assert dice(p, target, activation="none", per_image=True).item() == pytest.approx(alone, rel=1e-12)
    assert dice(p, target, activation="none").item() != pytest.approx(alone, rel=1e-6)
    for loss in (lovasz, generalised_dice):
        alone = sum(loss(p[k : k + 1], target[k : k + 1], activation="none").item() for k in range(2)) / 2
        assert loss(p, target, activation="none", per_image=True).item() == pytest.approx(alone, rel=1e-12)


def test_the_background_can_be_left_out():
    p, target = shares()
    both = [jaccard(p[:, c : c + 1], (target == c).double().unsqueeze(1), activation="none").item() for c in (1, 2)]
    assert jaccard(p, target, activation="none", background=False).item() == pytest.approx(sum(both) / 2, rel=1e-12)


def test_tversky_holds_dice_and_jaccard():
    p, target = shares(1)
    settings = {"activation": "none", "eps": 0.0}
    assert tversky(p, target, alpha=0.5, beta=0.5, **settings).item() == pytest.approx(dice(p, target, **settings).item(), rel=1e-12)
    assert tversky(p, target, alpha=1.0, beta=1.0, **settings).item() == pytest.approx(jaccard(p, target, **settings).item(), rel=1e-12)


def test_sigmoid_channels_may_overlap():
    logits = torch.randn(1, 2, 9, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    target = (torch.rand(1, 2, 9, generator=torch.Generator().manual_seed(3)) > 0.4).double()
    expected = sum(dice(logits[:, c : c + 1], target[:, c : c + 1]).item() for c in range(2)) / 2
    assert dice(logits, target, activation="sigmoid").item() == pytest.approx(expected, rel=1e-12)


def test_one_channel_is_a_softmax_against_nothing():
    logits, (_, target) = torch.randn(2, 1, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(4)), shares(2, classes=2)
    two = torch.cat([torch.zeros_like(logits), logits], 1)
    for loss in (dice, jaccard, tversky, lovasz):
        assert loss(logits, target).item() == pytest.approx(loss(two, target, background=False).item(), rel=1e-12)
    assert generalised_dice(logits, target).item() == pytest.approx(generalised_dice(two, target).item(), rel=1e-12)


def test_generalised_dice_survives_a_class_of_next_to_nothing():
    p = torch.full((1, 2, 1000), 0.5)
    g = torch.zeros(1, 2, 1000)
    g[:, 0] = 1
    g[:, 1, 0] = 1e-25
    assert torch.isfinite(generalised_dice(p, g, activation="none"))


def jaccard_of_hard_masks(p, target, classes):
    found = []
    for c in range(classes):
        a, b = p == c, target == c
        if b.any():
            found.append(1 - (a & b).sum().item() / (a | b).sum().item())
    return sum(found) / len(found)


def test_lovasz_of_hard_predictions_is_the_jaccard_loss():
    _, target = shares(5)
    _, guess = shares(6)
    hard = torch.nn.functional.one_hot(guess, 3).movedim(-1, 1).double()
    assert lovasz(hard, target, activation="none").item() == pytest.approx(jaccard_of_hard_masks(guess, target, 3), rel=1e-12)


def test_lovasz_lies_above_every_threshold_s_jaccard_on_average():
    """The extension of a set function is its mean over the thresholds of the errors (Berman 2018, proposition 3)."""
    p, target = shares(7, classes=1, pixels=12, images=1)
    p, target = torch.rand(12, generator=torch.Generator().manual_seed(1), dtype=torch.float64), (torch.arange(12) % 3 == 0).long()
    errors = (target - p).abs()
    cuts = torch.cat([torch.zeros(1, dtype=torch.float64), errors.sort().values])
    total = 0.0
    for low, high in pairwise(cuts):
        wrong = errors > low
        union = ((target == 1) | wrong).sum().item()
        total += (high - low).item() * (wrong.sum().item() / union if union else 0.0)
    assert lovasz(p.reshape(1, 1, -1), target.reshape(1, -1), activation="none").item() == pytest.approx(total, rel=1e-12)


def test_lovasz_hinge_takes_one_channel():
    with pytest.raises(InputError, match="takes one channel, found 2"):
        lovasz_hinge(torch.zeros(1, 2, 3), torch.zeros(1, 3, dtype=torch.int64))
    empty = lovasz_hinge(torch.tensor([[[0.5, -3.0, 2.0]]]), torch.zeros(1, 3, dtype=torch.int64))
    assert empty == 3.0  # the largest error
