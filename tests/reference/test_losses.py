"""The papers' and the catalogue's worked numbers of every loss, in float64."""

import math

import pytest
import torch

from microtome.losses import catalogue
from microtome.losses.class_weights import balanced, median_frequency
from microtome.losses.deep_supervision import scale_weights
from microtome.losses.dense.ohem import in_doubt
from microtome.losses.dense.top_k import hardest
from microtome.losses.weighted_sum import weighted_sum

P = torch.tensor([[[0.9, 0.8, 0.3, 0.1]]], dtype=torch.float64)  # example A
G = torch.tensor([[1, 1, 0, 0]])
SCORES = torch.tensor([[[2.0, 0, 1], [1, 0, 3], [0, 0, -1]]], dtype=torch.float64)  # three pixels in the last axis
CLASSES = torch.tensor([[0, 2, 1]])
NINE = {"abs": 6e-10, "rel": 0}


def loss(name, outputs, target, **settings):
    return catalogue.load(name)(outputs, target, **settings).item()


def of_example(name, **settings):
    """From logits, as networks give them, and from the probabilities as they are."""
    exact = {"eps": 0.0} if "eps" in catalogue.settings(name) else {}
    found = loss(name, torch.logit(P), G, **{**exact, **settings})
    if "activation" in catalogue.settings(name):
        assert loss(name, P, G, **{**exact, **settings, "activation": "none"}) == pytest.approx(found, rel=1e-12)
    return pytest.approx(found, **NINE)


def test_cross_entropy():
    each = [loss("cross_entropy", SCORES[..., k : k + 1], CLASSES[:, k : k + 1]) for k in range(3)]
    assert each == pytest.approx([0.407605964, 1.098612289, 0.142931628], **NINE)
    assert sum(each) == pytest.approx(1.649149882, **NINE)
    assert loss("cross_entropy", SCORES, CLASSES) == pytest.approx(0.549716627, **NINE)
    assert loss("cross_entropy", SCORES, torch.tensor([[0, 255, 1]]), ignore=255) == pytest.approx(0.275268796, **NINE)
    assert loss("cross_entropy", torch.tensor([[[1000.0], [0.0]]]), torch.tensor([[1]])) == 1000.0


def test_label_smoothing():
    assert loss("cross_entropy", SCORES, CLASSES, label_smoothing=0.1) == pytest.approx(0.649716627, **NINE)


def test_class_weighted_cross_entropy():
    weights = (1.0, 2.0, 4.0)
    assert loss("cross_entropy", SCORES, CLASSES, class_weights=weights) == pytest.approx(0.726845482, **NINE)
    assert loss("cross_entropy", SCORES, CLASSES, class_weights=weights, reduction="pixels") == pytest.approx(1.695972792, **NINE)


def test_class_weights():
    for rule in (balanced, median_frequency):
        assert rule([90, 10]).tolist() == pytest.approx([0.555556, 5.0], abs=5e-7)


def test_binary_cross_entropy():
    x, t = torch.tensor([[[0.0, 2, -3, 100]]], dtype=torch.float64), torch.tensor([[1, 0, 0, 1]])
    each = [loss("bce", x[..., k : k + 1], t[:, k : k + 1]) for k in range(4)]
    assert each == pytest.approx([0.693147181, 2.126928011, 0.048587352, 0], **NINE)
    assert loss("bce", x, t) == pytest.approx(0.717165636, **NINE)
    assert loss("bce", x[..., :1], t[:, :1], pos_weight=3.0) == pytest.approx(2.079441542, **NINE)
    assert loss("bce", torch.logit(P), G) == pytest.approx(0.197634882, **NINE)


def test_dice():
    assert of_example("dice") == 0.170731707
    assert of_example("dice", squared=True) == 0.042253521
    assert of_example("dice", eps=1.0) == 0.137254902
    faint, empty = torch.full((1, 1, 4), 0.1, dtype=torch.float64), torch.zeros(1, 4, dtype=torch.int64)
    kept = {"activation": "none", "keep_empty": True}
    assert loss("dice", faint, empty, eps=1.0, **kept) == pytest.approx(0.285714286, **NINE)
    assert loss("dice", faint, empty, eps=0.0, **kept) == 1.0


def test_generalised_dice():
    p = torch.tensor([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]], dtype=torch.float64).T[None]
    y = torch.tensor([[0, 0, 1, 2]])
    assert loss("generalised_dice", p.log(), y) == pytest.approx(0.349056604, **NINE)
    assert loss("dice", p.log(), y, eps=0.0) == pytest.approx(0.331481481, **NINE)


def test_jaccard_and_what_is_added_to_it():
    assert of_example("jaccard") == 0.291666667
    assert of_example("jaccard", log=True) == 0.344840486
    x = torch.logit(P)
    for other, expected in (
        (("jaccard", 1.0, {"eps": 0.0}), 0.489301548),
        (("jaccard", 1.0, {"eps": 0.0, "log": True}), 0.542475368),
        (("dice", 1.0, {"eps": 0.0}), 0.368366589),
    ):
        assert weighted_sum(["bce", other])(x, G).total.item() == pytest.approx(expected, **NINE)


def test_tversky():
    assert of_example("tversky", alpha=0.5, beta=0.5) == 0.170731707
    assert of_example("tversky", alpha=0.3, beta=0.7) == 0.162561576
    assert of_example("tversky", alpha=1.0, beta=1.0) == 0.291666667
    assert of_example("tversky", alpha=0.3, beta=0.7, gamma=4 / 3) == 0.256013830
    assert of_example("tversky", alpha=0.3, beta=0.7, gamma=3 / 4) == 0.088720477  # if 4/3 is read as the power


def test_focal():
    x = torch.logit(P)
    each = [loss("focal", x[..., k : k + 1], G[:, k : k + 1]) for k in range(4)]
    assert each == pytest.approx([0.001053605, 0.008925742, 0.032100745, 0.001053605], **NINE)
    assert loss("focal", x, G) == pytest.approx(0.010783424, **NINE)
    assert loss("focal", x, G, alpha=0.25) == pytest.approx(0.006840150, **NINE)


def test_lovasz():
    assert of_example("lovasz") == 0.200000000
    two = torch.cat([1 - P, P], 1)
    assert loss("lovasz", two.log(), G) == pytest.approx(0.208333333, **NINE)
    hinge = torch.tensor([[[2.0, -1, 0.5, -2]]], dtype=torch.float64)
    assert loss("lovasz_hinge", hinge, G) == 1.25
    hard = torch.tensor([[[1.0, 0, 1, 0]]], dtype=torch.float64)
    assert loss("lovasz", hard, G, activation="none") == pytest.approx(2 / 3, rel=1e-12)


def test_boundary():
    truth = torch.zeros(1, 5, 5, dtype=torch.int64)
    truth[:, 1:4, 1:4] = 1
    p = torch.where(truth == 1, 0.8, 0.1).double().unsqueeze(1)
    # phi is held in float32
    assert loss("boundary", torch.logit(p), truth) == pytest.approx(0.038627417, abs=2e-9)
    assert 25 * loss("boundary", p, truth, activation="none") == pytest.approx(0.965685425, abs=5e-8)


def test_top_k_and_hard_examples():
    losses = torch.tensor([0.1, 2.3, 0.05, 0.7, 1.1, 0.4, 0.02, 3], dtype=torch.float64)
    assert hardest(losses, torch.ones(8), 0.25).item() == pytest.approx(2.65)
    assert in_doubt(losses, torch.ones(8), -math.log(0.7), 1).item() == pytest.approx(1.5)
    assert in_doubt(losses, torch.ones(8), -math.log(0.7), 99).item() == pytest.approx(losses.mean().item())
    # the same through logits whose cross-entropies these are
    x = -torch.log(torch.expm1(losses)).reshape(1, 1, -1)
    yes = torch.ones(1, 8, dtype=torch.int64)
    assert loss("top_k", x, yes, percent=25.0) == pytest.approx(2.65)
    assert loss("ohem", x, yes, tau=0.7, min_kept=1) == pytest.approx(1.5)


def test_deep_supervision():
    assert scale_weights(4) == pytest.approx((0.533333, 0.266667, 0.133333, 0.066667), abs=5e-7)
    assert scale_weights(4, drop_coarsest=True) == pytest.approx((0.571429, 0.285714, 0.142857, 0), abs=5e-7)


def test_smooth_l1():
    x = torch.tensor([-2.0, -0.5, 0, 0.1, 1, 3], dtype=torch.float64)
    each = [loss("smooth_l1", v.reshape(1, 1, 1), torch.zeros(1, 1, 1)) for v in x]
    assert each == pytest.approx([1.5, 0.125, 0, 0.005, 0.5, 2.5], rel=1e-12)
    narrow = [loss("smooth_l1", torch.tensor([[[v]]], dtype=torch.float64), torch.zeros(1, 1, 1), beta=1 / 9) for v in (0.05, 0.5)]
    assert narrow == pytest.approx([0.01125, 0.444444444], **NINE)
