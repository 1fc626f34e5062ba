"""The running average of weights, by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from microtome.learn.training.average import Average  # noqa: E402


def one_weight(value):
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, value)
    return layer


def test_early_steps_are_forgotten_sooner_than_the_decay_says():
    layer = one_weight(0.0)
    average = Average(layer, 0.9)
    torch.nn.init.constant_(layer.weight, 1.0)
    wanted = 0.0
    for step in range(4):
        decay = (1 + step) / (10 + step)  # 1/10, 2/11, 3/12, 4/13: all below 0.9
        wanted = decay * wanted + (1 - decay)
        average.update(step)
        assert average.module.weight.item() == pytest.approx(wanted)


def test_late_steps_use_the_decay():
    layer = one_weight(0.0)
    average = Average(layer, 0.9)
    torch.nn.init.constant_(layer.weight, 1.0)
    average.update(80)  # 81 / 90 = 0.9
    average.update(81)
    assert average.module.weight.item() == pytest.approx(1 - 0.9**2)


def test_without_decay_it_is_the_network_itself():
    layer = one_weight(0.0)
    average = Average(layer, 0.0)
    torch.nn.init.constant_(layer.weight, 3.0)
    average.update(10)
    assert average.module.weight.item() == 3.0


def test_statistics_are_averaged_and_counts_are_copied():
    norm = torch.nn.BatchNorm2d(1)
    average = Average(norm, 0.75)
    norm.train()(torch.full((2, 1, 2, 2), 4.0))  # momentum 0.1: the running mean becomes 0.4
    average.update(1000)
    assert average.module.running_mean.item() == pytest.approx(0.1)
    assert average.module.num_batches_tracked.item() == 1


def test_it_is_apart_from_the_network_and_never_trained():
    layer = one_weight(1.0)
    average = Average(layer, 0.5)
    assert not average.module.training
    assert not any(weights.requires_grad for weights in average.module.parameters())
    average.update(100)
    torch.nn.init.constant_(layer.weight, 5.0)
    assert average.module.weight.item() == 1.0


def test_channels_last_weights_are_averaged_where_they_lie():
    layer = torch.nn.Conv2d(3, 4, 3)
    layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
    average = Average(layer, 0.5)
    start = layer.weight.detach().clone()
    torch.nn.init.zeros_(layer.weight)
    average.update(1000)
    torch.testing.assert_close(average.module.weight, start / 2)
    assert average.module.weight.is_contiguous(memory_format=torch.channels_last)
