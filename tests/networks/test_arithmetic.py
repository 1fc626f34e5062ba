"""Laws of the arithmetic, against torch and against counting."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from microtome.networks.arithmetic import Interval, LegalSizes, conv_size, same_padding, transposed_size

small = st.integers(1, 5)


@given(n=st.integers(1, 40), kernel=small, stride=small, padding=st.integers(0, 2), dilation=st.integers(1, 3))
def test_conv_size_is_torchs(n, kernel, stride, padding, dilation):
    out = conv_size(n, kernel, stride=stride, padding=padding, dilation=dilation)
    if out >= 1:
        y = torch.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, kernel), None, stride, padding, dilation)
        assert y.shape[2] == out


@given(n=st.integers(1, 20), kernel=small, stride=small, data=st.data())
def test_a_transposed_convolution_goes_back_to_each_side_that_shares_an_output(n, kernel, stride, data):
    out = conv_size(n, kernel, stride=stride)
    if out >= 1:
        assert n in [transposed_size(out, kernel, stride=stride, output_padding=extra) for extra in range(stride)]


@given(n=st.integers(1, 60), kernel=small, stride=small, dilation=st.integers(1, 3))
def test_same_padding_gives_the_rounded_up_share(n, kernel, stride, dilation):
    before, after = same_padding(n, kernel, stride=stride, dilation=dilation)
    assert 0 <= after - before <= 1
    assert conv_size(n + before + after, kernel, stride=stride, dilation=dilation) == -(-n // stride)


@given(first=st.integers(-9, 9), length=st.integers(0, 6), kernel=small, stride=small, padding=st.integers(0, 3))
def test_an_interval_before_a_transposed_convolution_is_what_touches_it(first, length, kernel, stride, padding):
    pixels = Interval(first, first + length)
    reached = {i for i in range(-40, 41) for tap in range(kernel) if pixels.first <= i * stride + tap - padding <= pixels.last}
    seen = pixels.before_transposed(kernel, stride=stride, padding=padding)
    assert reached <= set(range(seen.first, seen.last + 1))
    if reached:
        assert (min(reached), max(reached)) == seen


@given(pixel=st.integers(-9, 30), factor=st.integers(2, 5))
def test_an_interval_before_bilinear_is_where_torch_looks(pixel, factor):
    line = torch.zeros(1, 1, 60, dtype=torch.float64, requires_grad=True)
    up = torch.nn.functional.interpolate(line, scale_factor=factor, mode="linear")
    up[0, 0, 15 * factor + pixel].backward()
    touched = line.grad[0, 0].nonzero().flatten() - 15
    seen = Interval(pixel, pixel).before_bilinear(factor)
    assert seen.first <= touched.min()
    assert touched.max() <= seen.last
    assert seen.size <= 2


@given(least=st.integers(1, 50), step=st.integers(1, 20), side=st.integers(1, 200))
def test_the_nearest_legal_sides_enclose(least, step, side):
    sizes = LegalSizes(least, step)
    near = sizes.near(side)
    legal = [least + i * step for i in range(300)]
    assert near[-1] == min(n for n in legal if n >= side)
    assert (len(near) == 1) == (side in legal or side < least)
    assert near[0] == (near[-1] if len(near) == 1 else max(n for n in legal if n <= side))
    assert sizes.at_least(side) == near[-1]
    assert (side in sizes) == (side in legal)
