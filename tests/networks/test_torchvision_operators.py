"""Operators of torchvision, in torch: against hand calculation, and torchvision's import where its own part does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from microtome.networks.torchvision_operators import nms, roi_align


def test_nms_keeps_the_best_of_each_heap():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 4], [20, 20, 30, 30]])
    scores = torch.tensor([0.6, 0.9, 0.7, 0.1])
    assert nms(boxes, scores, 0.5).tolist() == [1, 2, 3]  # 0 overlaps 1 by 0.9; 2 overlaps 1 by 4/9
    assert nms(boxes, scores, 0.4).tolist() == [1, 3]
    assert nms(boxes, scores, 0.95).tolist() == [1, 2, 0, 3]


def test_nms_drops_a_box_only_for_one_that_stays():
    chain = torch.tensor([[0.0, 0, 10, 1], [4, 0, 14, 1], [8, 0, 18, 1]])
    assert nms(chain, torch.tensor([0.9, 0.8, 0.7]), 0.3).tolist() == [0, 2]


def test_nms_of_equal_scores_keeps_the_earlier_and_of_nothing_nothing():
    same = torch.tensor([[0.0, 0, 5, 5]] * 2)
    assert nms(same, torch.tensor([0.5, 0.5]), 0.5).tolist() == [0]
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []


def test_roi_align_of_a_ramp_is_the_centre_of_each_bin():
    ramp = (torch.arange(12.0)[:, None] * 10 + torch.arange(12.0)).expand(2, 1, 12, 12)
    pooled = roi_align(ramp, torch.tensor([[1.0, 2, 4, 8, 10]]), 1.0, 3, 2, 2, True)
    rows, columns = [4.5, 6.5, 8.5], [3.0, 6.0]
    assert pooled[0, 0].flatten().tolist() == pytest.approx([10 * row + column for row in rows for column in columns])


def test_roi_align_scales_takes_as_many_samples_as_pixels_and_lets_gradients_through():
    x = torch.rand(1, 2, 8, 8, dtype=torch.float64, requires_grad=True)
    whole = torch.tensor([[0.0, 0, 0, 32, 32]], dtype=torch.float64)
    pooled = roi_align(x, whole, 0.25, 1, 1, 0, True)
    assert pooled[0, :, 0, 0].tolist() == pytest.approx(x.mean((0, 2, 3)).tolist())
    pooled.sum().backward()
    assert x.grad[0, 0].sum().item() == pytest.approx(1)


def test_roi_align_outside_is_zero_and_of_nothing_is_nothing():
    assert roi_align(torch.ones(1, 1, 4, 4), torch.tensor([[0.0, 50, 50, 60, 60]]), 1.0, 1, 1, 2, True).item() == 0
    assert roi_align(torch.ones(1, 3, 4, 4), torch.zeros(0, 5), 1.0, 7, 7, 2, True).shape == (0, 3, 7, 7)


def test_torchvision_is_imported_whether_or_not_its_compiled_part_loads():
    pytest.importorskip("torchvision")
    code = """
import microtome.networks.torchvision_operators as ours
ours._compiled_part_loads = lambda folder: False
assert ours.ensure_torchvision()
import torch, torchvision
boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]])
print(torchvision.ops.nms(boxes, torch.tensor([0.8, 0.9, 0.5]), 0.5).tolist())
print(torchvision.ops.roi_align(torch.ones(1, 1, 8, 8), [boxes[:1] / 2], 2).shape[-1])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[1, 2]", "2"]
