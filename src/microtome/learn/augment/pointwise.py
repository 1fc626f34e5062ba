"""Point steps (each value becomes another by a curve) and noise, in one pass over the values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtome.learn.augment import catalogue
from microtome.learn.augment.example import Example

__all__ = ["Values", "apply_point_steps", "column", "counted_bits", "quantiles"]

Values = NDArray[np.float32]
_LEVELS = 1 << 16
_FEW = 1 << 15  # below this many pixels a table of 65,536 levels costs more than it saves


def apply_point_steps(steps: Sequence[tuple[str, dict[str, Any]]], example: Example) -> Example:
    """Apply point steps and Gaussian noise, in their order, rounding once at the end of each run that noise closes.

    Parameters
    ----------
    steps : sequence of (name, parameters)
        Each has a ``curve``, or is ``gaussian_noise``.
    example : Example
    """
    waiting: list[tuple[str, dict[str, Any]]] = []
    for step in steps:
        if step[0] == "gaussian_noise":
            example = example.with_image(_pass(waiting, step[1], example))
            waiting = []
        else:
            waiting.append(step)
    return example.with_image(_pass(waiting, None, example)) if waiting else example


def _pass(steps: Sequence[tuple[str, dict[str, Any]]], noise: dict[str, Any] | None, example: Example) -> NDArray[Any]:
    image = np.ascontiguousarray(example.image)
    low, high = example.span
    sigma = np.float32(noise["sigma"] * (high - low)) if noise else np.float32(0)
    seed = np.uint64(noise["seed"]) if noise else np.uint64(0)
    out = np.empty_like(image)
    flat, target = image.reshape(-1, image.shape[-1]), out.reshape(-1, image.shape[-1])
    if image.dtype == np.uint8 or (image.dtype == np.uint16 and len(flat) >= _FEW):
        _through_tables(flat, _tables(steps, flat, example.span), quantiles(), sigma, seed, np.float32(np.iinfo(image.dtype).max), target)
        return out
    values = _curved(steps, np.ascontiguousarray(flat.T, np.float32), None, example.span)
    top = np.float32(np.iinfo(image.dtype).max if image.dtype == np.uint16 else 0)
    _write(values, quantiles(), sigma, seed, top, target)
    return out


def _tables(steps: Sequence[tuple[str, dict[str, Any]]], flat: NDArray[Any], span: tuple[float, float]) -> Values:
    """What each level becomes, a row a channel."""
    channels, levels = flat.shape[1], np.iinfo(flat.dtype).max + 1
    needs_mean = any(getattr(catalogue.load(name), "NEEDS_MEAN", False) for name, _ in steps)
    counts = _histograms(flat, levels) if needs_mean else None
    return np.ascontiguousarray(_curved(steps, np.tile(np.arange(levels, dtype=np.float32), (channels, 1)), counts, span))


def _curved(steps: Sequence[tuple[str, dict[str, Any]]], values: Values, counts: Any, span: tuple[float, float]) -> Values:
    for name, parameters in steps:
        step = catalogue.load(name)
        mean = _means(values, counts) if getattr(step, "NEEDS_MEAN", False) else np.zeros((len(values), 1), np.float32)
        values = np.asarray(step.curve(parameters, values, span=span, mean=mean), np.float32)
    return values


def _means(values: Values, counts: Any) -> Values:
    if counts is None:
        return values.mean(1, dtype=np.float64, keepdims=True).astype(np.float32)
    return ((values * counts).sum(1, dtype=np.float64, keepdims=True) / counts.sum(1, keepdims=True)).astype(np.float32)


def column(numbers: Sequence[float]) -> Values:
    """One number for all channels, or one each, to go with values of shape (C, N)."""
    return np.asarray(numbers, np.float32)[:, None]


@cache
def quantiles() -> Values:
    """The middles of 65,536 equally likely parts of the normal distribution, scaled to the variance 1."""
    from scipy.special import ndtri

    normal = ndtri((np.arange(_LEVELS) + 0.5) / _LEVELS)
    return (normal / normal.std()).astype(np.float32)


@njit(cache=True, nogil=True)
def counted_bits(seed, number):  # type: ignore[no-untyped-def]
    """64 random bits that belong to a number, by the finaliser of SplitMix64 (Steele, Lea, Flood, 2014, doi:10.1145/2660193.2660195)."""
    value = seed + (np.uint64(number) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)
def _histograms(flat, levels):  # type: ignore[no-untyped-def]
    counts = np.zeros((flat.shape[1], levels), np.int64)
    for p in range(flat.shape[0]):
        for c in range(flat.shape[1]):
            counts[c, flat[p, c]] += 1
    return counts


@njit(cache=True, nogil=True)
def _through_tables(flat, tables, normal, sigma, seed, top, out):  # type: ignore[no-untyped-def]
    """Each value by its channel's table, plus noise, rounded and clipped."""
    pixels, channels = flat.shape
    half, zero, low = np.float32(0.5), np.float32(0), np.uint64(0xFFFF)
    fours = (pixels + 3) // 4
    for c in range(channels):
        for four in range(pixels // 4):
            bits = counted_bits(seed, c * fours + four)
            for j in range(4):  # a loop of fixed length is unrolled
                value = tables[c, flat[4 * four + j, c]] + sigma * normal[(bits >> np.uint64(16 * j)) & low]
                out[4 * four + j, c] = int(min(max(value + half, zero), top))
        bits = counted_bits(seed, c * fours + pixels // 4)
        for p in range(4 * (pixels // 4), pixels):
            value = tables[c, flat[p, c]] + sigma * normal[(bits >> np.uint64(16 * (p & 3))) & low]
            out[p, c] = int(min(max(value + half, zero), top))


@njit(cache=True, nogil=True)
def _write(values, normal, sigma, seed, top, out):  # type: ignore[no-untyped-def]
    """Values of shape (C, N) plus noise; rounded and clipped where `top` is above 0."""
    pixels, channels = out.shape
    half, zero, low = np.float32(0.5), np.float32(0), np.uint64(0xFFFF)
    fours = (pixels + 3) // 4
    for c in range(channels):
        bits = np.uint64(0)
        for p in range(pixels):
            value = values[c, p]
            if sigma > 0:
                if p & 3 == 0:
                    bits = counted_bits(seed, c * fours + (p >> 2))
                value += sigma * normal[(bits >> np.uint64(16 * (p & 3))) & low]
            out[p, c] = np.floor(min(max(value + half, zero), top)) if top > 0 else value
