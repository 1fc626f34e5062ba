"""Temperature scaling: one number that makes a network's probabilities as high as the share that is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.measure.metrics.calibration import Reliability, brier, ece, reliability

__all__ = ["FOLDS", "HIGHEST", "LOWEST", "Calibration", "Said", "calibrate", "cross_entropy", "fit_temperature", "tempered"]

LOWEST, HIGHEST = 0.05, 20.0
"""Between these temperatures one is looked for."""

FOLDS = 5
"""Into so many parts held-out images are divided at most, to judge a temperature on images that it was not fitted to."""

_LEAST = 1e-7  # a probability in float32 that is nearer to 0 or 1 says nothing of the number behind it
_HALVINGS = 18  # of a range of 400: to 2 in 100,000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Said:
    """What a network says of some pixels of one image, and what is true.

    Attributes
    ----------
    probabilities : ndarray of float, shape (N, C), or (N,) of one class against the rest
    truth : ndarray of integers, shape (N,)
        The class, 0 to C - 1; or 0 and 1.
    group : str
        Images of one group are never on both sides of a fit.

    Raises
    ------
    InputError
        If the shapes do not belong together, or a class is outside.
    """

    probabilities: NDArray[np.floating]
    truth: NDArray[np.integer]
    group: str = ""

    def __post_init__(self) -> None:
        shape, count = self.probabilities.shape, 2 if self.probabilities.ndim == 1 else self.probabilities.shape[-1]
        if self.probabilities.ndim > 2 or shape[:1] != self.truth.shape:
            raise InputError(f"probabilities of shape {shape} with a truth of {self.truth.shape}: expected (N, C) or (N,), and (N,)")
        if len(self.truth) and not (self.truth.min() >= 0 and self.truth.max() < count):
            raise InputError(f"the truth holds classes {self.truth.min()} to {self.truth.max()}; the probabilities are of 0 to {count - 1}")


@dataclass(frozen=True, eq=False)
class Calibration:
    """A temperature, and what it brings on images that it was not fitted to.

    Attributes
    ----------
    temperature : float
        1 where no other is better.
    before, after : Reliability
        At temperature 1, and at those that the other parts of the images ask for.
    entropy_before, entropy_after : float
        The mean negative log-likelihood of the same pixels, in nats.
    images, pixels : int
        That were looked at.
    """

    temperature: float
    before: Reliability
    after: Reliability
    entropy_before: float
    entropy_after: float
    images: int
    pixels: int

    def facts(self) -> dict[str, object]:
        """As plain data, before and after."""
        return {
            "temperature": self.temperature,
            "nll": [round(self.entropy_before, 5), round(self.entropy_after, 5)],
            "ece": [round(ece(self.before), 5), round(ece(self.after), 5)],
            "brier": [round(brier(self.before), 5), round(brier(self.after), 5)],
            "images": self.images,
            "pixels": self.pixels,
        }


def tempered(probabilities: NDArray[np.floating], temperature: float) -> Floats:
    """Probabilities as another temperature would have made them: softmax(log p / T), or its like for one class.

    Parameters
    ----------
    probabilities : ndarray of float, shape (N, C) or (N,)
    temperature : float
        Above 1 they come nearer to each other.

    Returns
    -------
    ndarray of float64, the same shape

    Notes
    -----
    The logarithm of a softmax is its input up to a constant a pixel, which the next softmax takes away: nothing else than the
    probabilities is needed. Those below 1e-7 count as 1e-7.

    Examples
    --------
    >>> tempered(np.array([[0.8, 0.2]]), 2).round(4).tolist()
    [[0.6667, 0.3333]]
    """
    found = _softmax(_logarithms(probabilities) / temperature)
    return found if probabilities.ndim == 2 else np.ascontiguousarray(found[:, 1])


def cross_entropy(probabilities: NDArray[np.floating], truth: NDArray[np.integer], temperature: float = 1) -> float:
    """The mean of -log p of what is true, at a temperature; nan without pixels.

    >>> round(cross_entropy(np.array([0.5, 0.25]), np.array([1, 0])), 4)
    0.4904
    """
    if not len(truth):
        return float("nan")
    scaled = _logarithms(probabilities) / temperature
    return float(np.mean(_log_sum(scaled) - _of_truth(scaled, truth)))


def fit_temperature(probabilities: NDArray[np.floating], truth: NDArray[np.integer]) -> float:
    """The temperature with the least cross entropy, between `LOWEST` and `HIGHEST`.

    Parameters
    ----------
    probabilities : ndarray of float, shape (N, C) or (N,)
    truth : ndarray of integers, shape (N,)

    Raises
    ------
    InputError
        If there is no pixel.

    Notes
    -----
    The cross entropy is convex in 1 / T. Its slope there, the mean of what is expected less what is true, is brought to zero by
    halving: it does not depend on where the search begins.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, International Conference on Machine Learning, 2017, PMLR 70, 1321-1330, section 4.2.

    Examples
    --------
    Right in three of four pixels, and always 90 % sure: 3 / 1 = 9 ** (1 / T), so that T is 2.

    >>> round(fit_temperature(np.full(4, 0.9), np.array([1, 1, 1, 0])), 4)
    2.0
    """
    if not len(truth):
        raise InputError("a temperature is fitted to pixels, and there are none")
    logs = _logarithms(probabilities)
    own = float(np.mean(_of_truth(logs, truth)))
    low, high = 1 / HIGHEST, 1 / LOWEST
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        expected = float(np.mean(np.sum(_softmax(logs * middle) * logs, axis=1)))
        low, high = (middle, high) if expected <= own else (low, middle)
    return float(f"{(low * high) ** -0.5:.4g}")


def calibrate(images: Sequence[Said]) -> Calibration:
    """Fit a temperature to held-out images, and judge it on images that it was not fitted to.

    Parameters
    ----------
    images : sequence of Said

    Returns
    -------
    Calibration
        The groups are divided into `FOLDS` parts, and each part is judged at the temperature of the others. If that lowers the cross
        entropy of all together, the temperature is the one fitted to all, else 1. A single group does not tell whether others would
        gain: it is 1 then too.

    Raises
    ------
    InputError
        If there is no pixel at all.

    Examples
    --------
    >>> sure = Said(np.full(4, 0.9), np.array([1, 1, 1, 0]), "a")
    >>> found = calibrate([sure, Said(sure.probabilities, sure.truth, "b")])
    >>> found.temperature, round(found.entropy_before, 3), round(found.entropy_after, 3)
    (2.0, 0.655, 0.562)
    """
    images = [one for one in images if len(one.truth)]
    everything = _together(images)
    parts = _parts(images)
    before = [tempered(one.probabilities, 1) for one in images]
    after = list(before)
    if len(parts) > 1:
        for part in parts:
            others = _together([one for number, one in enumerate(images) if number not in part])
            temperature = fit_temperature(others.probabilities, others.truth)
            for number in part:
                after[number] = tempered(images[number].probabilities, temperature)
    truth = everything.truth
    entropy, entropy_after = (cross_entropy(np.concatenate(found), truth) for found in (before, after))
    first = _table(np.concatenate(before), truth)
    if not entropy_after < entropy:
        return Calibration(1.0, first, first, entropy, entropy, len(images), len(truth))
    second = _table(np.concatenate(after), truth)
    temperature = fit_temperature(everything.probabilities, truth)
    return Calibration(temperature, first, second, entropy, entropy_after, len(images), len(truth))


def _together(images: Sequence[Said]) -> Said:
    if not images:
        raise InputError("a temperature is fitted to pixels, and there are none")
    return Said(np.concatenate([one.probabilities for one in images]), np.concatenate([one.truth for one in images]))


def _parts(images: Sequence[Said]) -> list[list[int]]:
    """The images' numbers, whole groups together; an image without a group is one by itself."""
    names = [one.group or f"#{number}" for number, one in enumerate(images)]
    place = {name: number % FOLDS for number, name in enumerate(dict.fromkeys(names))}
    found = [[number for number, name in enumerate(names) if place[name] == part] for part in range(FOLDS)]
    return [part for part in found if part]


def _table(probabilities: Floats, truth: NDArray[np.integer]) -> Reliability:
    """Of several classes that of the chosen one, of one class that class."""
    if probabilities.ndim == 1:
        return reliability(probabilities.clip(0, 1), truth)
    return reliability(probabilities.max(1).clip(0, 1), probabilities.argmax(1) == truth)


def _logarithms(probabilities: NDArray[np.floating]) -> Floats:
    wide = np.asarray(probabilities, np.float64)
    if wide.ndim == 1:
        wide = np.stack([1 - wide, wide], axis=1)
    return np.log(np.maximum(wide, _LEAST))


def _softmax(values: Floats) -> Floats:
    raised = np.exp(values - values.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


def _log_sum(values: Floats) -> Floats:
    top = values.max(1)
    return np.asarray(top + np.log(np.exp(values - top[:, None]).sum(1)))


def _of_truth(values: Floats, truth: NDArray[np.integer]) -> Floats:
    return np.asarray(values[np.arange(len(truth)), truth])
