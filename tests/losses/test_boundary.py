"""The boundary loss: distances in and out, spacing, absent classes."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from microtome.core.errors import RecipeError
from microtome.losses.dense.boundary import boundary, outline_distance


@pytest.mark.parametrize("aspect", [(1.0, 1.0), (2.5, 1.0)])
def test_distances_equal_scipy(aspect):
    inside = ndimage.gaussian_filter(np.random.default_rng(0).random((20, 25)), 2) > 0.5
    expected = np.where(inside, -(ndimage.distance_transform_edt(inside, aspect) - 1), ndimage.distance_transform_edt(~inside, aspect))
    np.testing.assert_allclose(outline_distance(inside, aspect), expected, rtol=1e-6)


def test_a_class_nowhere_or_everywhere_has_no_outline():
    logits = torch.randn(2, 1, 4, 5, requires_grad=True)
    for value in (0, 1):
        found = boundary(logits, torch.full((2, 4, 5), value))
        assert found == 0
        (slope,) = torch.autograd.grad(found, logits)
        assert (slope == 0).all()


def test_distances_given_beforehand():
    target = torch.zeros(1, 6, 7, dtype=torch.int64)
    target[:, 2:4, 1:5] = 1
    target[:, 4:, 5:] = 2
    logits = torch.randn(1, 3, 6, 7, generator=torch.Generator().manual_seed(0))
    phi = torch.stack([torch.from_numpy(outline_distance((target[0] == c).numpy())) for c in range(3)])[None]
    assert boundary(logits, phi).item() == pytest.approx(boundary(logits, target).item(), rel=1e-6)
    alone = boundary(logits, phi, background=True).item()
    assert alone == pytest.approx((logits.softmax(1) * phi).mean().item(), rel=1e-6)


def test_the_spacing_needs_one_number_an_axis():
    target = torch.zeros(1, 3, 4, dtype=torch.int64)
    target[0, 0, 0] = 1
    with pytest.raises(RecipeError, match="found 3 numbers, expected 2"):
        boundary(torch.zeros(1, 1, 3, 4), target, aspect=(1.0, 1.0, 1.0))
