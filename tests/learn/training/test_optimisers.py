"""Single steps of the optimisers by hand, and whose weights decay."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from microtome.core.errors import RecipeError  # noqa: E402
from microtome.learn.training.optimisers import optimiser_of  # noqa: E402


def one_weight(value, gradient):
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, value)
    layer.weight.grad = torch.full_like(layer.weight, gradient)
    return layer


def test_the_first_step_of_adamw_is_the_rate_and_the_decay_is_apart_from_it():
    layer = one_weight(2.0, 1e-3)
    optimiser_of({"adamw": {"rate": 0.1, "weight_decay": 0.5}}, layer).step()
    # w (1 - rate decay) - rate m / (sqrt(v) + 1e-8); at the first step m / sqrt(v) is the gradient's sign, however small it is
    assert layer.weight.item() == pytest.approx(2.0 * (1 - 0.05) - 0.1, abs=1e-5)


def test_the_second_step_of_adamw_by_hand():
    layer = one_weight(0.0, 1.0)
    optimiser = optimiser_of({"adamw": {"rate": 0.1, "weight_decay": 0, "betas": [0.5, 0.75]}}, layer)
    optimiser.step()
    layer.weight.grad = torch.full_like(layer.weight, 3.0)
    optimiser.step()
    # m = (0.5 * 0.5 * 1 + 0.5 * 3) / (1 - 0.25), v = (0.75 * 0.25 * 1 + 0.25 * 9) / (1 - 0.5625)
    assert layer.weight.item() == pytest.approx(-0.1 - 0.1 * (1.75 / 0.75) / (2.4375 / 0.4375) ** 0.5, abs=1e-6)


def test_two_steps_of_sgd_by_hand():
    layer = one_weight(1.0, 1.0)
    optimiser = optimiser_of({"sgd": {"rate": 0.1, "momentum": 0.5, "nesterov": True, "weight_decay": 0}}, layer)
    optimiser.step()  # b = 1, the step g + 0.5 b = 1.5
    assert layer.weight.item() == pytest.approx(0.85)
    optimiser.step()  # b = 0.5 + 1 = 1.5, the step 1 + 0.75 = 1.75
    assert layer.weight.item() == pytest.approx(0.85 - 0.175)


def test_sgd_without_momentum_needs_no_nesterov():
    layer = one_weight(1.0, 2.0)
    optimiser_of({"sgd": {"rate": 0.25, "momentum": 0, "weight_decay": 0}}, layer).step()
    assert layer.weight.item() == 0.5


def test_kernels_decay_and_biases_and_normalisation_do_not():
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4))
    groups = optimiser_of({"adamw": {"weight_decay": 0.3}}, module).param_groups
    decay = {id(weights): group["weight_decay"] for group in groups for weights in group["params"]}
    assert {name: decay[id(weights)] for name, weights in module.named_parameters()} == {
        "0.weight": 0.3, "0.bias": 0.0, "1.weight": 0.0, "1.bias": 0.0,
    }  # fmt: skip


def test_weights_that_are_held_fast_are_left_out():
    module = torch.nn.Linear(2, 2).requires_grad_(False)
    module.bias.requires_grad_()
    assert [len(group["params"]) for group in optimiser_of({"adamw": {}}, module).param_groups] == [1]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"adam": {}}, "optimiser: unknown optimiser 'adam'; did you mean adamw"),
        ({"adamw": {"lr": 0.1}}, r"optimiser\.adamw"),
        ({"adamw": {"rate": 0}}, r"optimiser\.adamw\.rate: found 0"),
        ({"adamw": {}, "sgd": {}}, "expected one of adamw, sgd"),
    ],
)
def test_a_mistake_names_its_place(document, message):
    with pytest.raises(RecipeError, match=message):
        optimiser_of(document, torch.nn.Linear(1, 1))
