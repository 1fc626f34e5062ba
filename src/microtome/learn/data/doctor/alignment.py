"""Do a mask's borders lie on the edges of its image? Cross-correlation over small shifts, and over turned and mirrored masks.

For a shift s the score C(s) is the mean, over the border pixels of the mask, of the image's gradient at the pixel moved by s,
the gradient taken relative to its neighbourhood. A mask that fits has a sharp peak at zero. All scores of one picture come from
one product of Fourier transforms. What counts is how far a peak stands above the scores elsewhere, in their standard deviations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["REACH", "TURNS", "Alignment", "best_turn", "borders", "edges", "fit", "measure", "turned"]

REACH = 16
"""How far a shift may go, in pixels."""
_NEAR = 2
_CLEAR = 5.0
_FEWEST = 40
_LARGEST = 2048

TURNS = (
    "as it is", "turned by 90° anticlockwise", "turned by 180°", "turned by 90° clockwise",
    "mirrored left to right", "transposed", "mirrored top to bottom", "transposed and turned by 180°",
)  # fmt: skip
"""The eight ways a square can lie; `turned` does them."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Alignment:
    """How one mask lies on its image.

    Attributes
    ----------
    shift : tuple of int
        The (rows, columns) by which the mask must be moved for the best fit.
    peak : float
        How far the best score stands above those elsewhere, in standard deviations.
    gap : float
        How far it stands above the score of the mask where it is, in the same unit.
    near : float
        The best score within two pixels of zero, in the same unit.
    turn : int
        Index into `TURNS` of the orientation that fits best.
    turn_near : float
        `near` of the mask so turned.
    """

    shift: tuple[int, int]
    peak: float
    gap: float
    near: float
    turn: int = 0
    turn_near: float = 0.0

    @property
    def in_place(self) -> bool:
        """The mask fits clearly, and fits best where it is."""
        return self.peak >= _CLEAR and max(map(abs, self.shift)) <= _NEAR


def measure(pixels: NDArray[Any], labels: NDArray[Any]) -> Alignment | None:
    """Compare a picture with its labels.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, C)
    labels : ndarray of integers, shape (H, W)

    Returns
    -------
    Alignment or None
        None where the mask has too few borders, or the image no edges.

    Examples
    --------
    >>> from skimage.data import coins
    >>> labels = (coins() > 120).astype(np.uint8)
    >>> measure(coins(), labels).in_place, measure(coins(), np.roll(labels, (5, -7), (0, 1))).shift
    (True, (-5, 7))
    """
    pixels, labels = _busiest_part(pixels, labels)
    scores = _scores(edges(pixels), borders(labels))
    if scores is None:
        return None
    found = _read(scores)
    if found.in_place:
        return found
    turn, near = best_turn(pixels, labels)
    return found if turn == 0 or near <= found.near else replace(found, turn=turn, turn_near=near)


def best_turn(pixels: NDArray[Any], labels: NDArray[Any]) -> tuple[int, float]:
    """The orientation of the labels that fits a picture best, and how clearly, in standard deviations (0 where it cannot be told).

    Large pictures are looked at at half their size, which shows a wrong orientation as clearly, four times as fast.
    """
    pixels, labels = _busiest_part(pixels, labels) if pixels.shape[:2] == labels.shape else (pixels, labels)
    step = 2 if min(labels.shape) >= 256 else 1
    image_edges, mask = edges(np.ascontiguousarray(pixels[::step, ::step])), labels[::step, ::step]
    fits = {turn: near for turn in range(len(TURNS)) if (near := fit(image_edges, borders(turned(mask, turn)))) is not None}
    best = max(fits, key=lambda turn: fits[turn], default=0)
    return best, fits.get(best, 0.0)


def fit(image_edges: Floats, mask_borders: Floats) -> float | None:
    """How clearly a mask's borders fit an image's edges within two pixels, in standard deviations; None where that cannot be told."""
    scores = _scores(image_edges, mask_borders)
    return None if scores is None else _read(scores).near


def edges(pixels: NDArray[Any]) -> Floats:
    """The image's gradient relative to its neighbourhood; float32, shape (H, W)."""
    squares = np.zeros(pixels.shape[:2], np.float32)
    for channel in np.atleast_3d(pixels).transpose(2, 0, 1)[:4]:
        smooth = cv2.GaussianBlur(np.ascontiguousarray(channel, np.float32), (0, 0), 1.0)
        squares += cv2.Sobel(smooth, cv2.CV_32F, 0, 1) ** 2 + cv2.Sobel(smooth, cv2.CV_32F, 1, 0) ** 2
    gradient = np.sqrt(squares)
    around = cv2.blur(gradient, (33, 33), borderType=cv2.BORDER_REFLECT)
    return np.asarray(gradient / (around + 1e-3 * float(gradient.max(initial=0)) + 1e-9), np.float32)


def borders(labels: NDArray[Any]) -> Floats:
    """1 on both sides of every change of label; float32, shape (H, W)."""
    found = np.zeros(labels.shape, np.float32)
    down, right = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    found[1:][down] = found[:-1][down] = 1
    found[:, 1:][right] = found[:, :-1][right] = 1
    return found


def turned(labels: NDArray[Any], turn: int) -> NDArray[Any]:
    """The labels in another of the eight orientations; `turn` is an index into `TURNS`.

    >>> turned(np.array([[1, 2], [3, 4]]), 5).tolist()
    [[1, 3], [2, 4]]
    """
    mirrored = labels[:, ::-1] if turn >= 4 else labels
    return np.ascontiguousarray(np.rot90(mirrored, turn % 4))


def _busiest_part(pixels: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Of a large picture the square with the most borders: enough to see a shift by, and it fits in memory."""
    if max(labels.shape) <= _LARGEST:
        return pixels, labels
    corners = [(top, left) for top in range(0, labels.shape[0], _LARGEST) for left in range(0, labels.shape[1], _LARGEST)]
    squares = [np.s_[top : top + _LARGEST, left : left + _LARGEST] for top, left in corners]
    best = max(squares, key=lambda square: int(np.count_nonzero(labels[square][1:] != labels[square][:-1])))
    return pixels[best], labels[best]


def _scores(image_edges: Floats, mask_borders: Floats) -> Floats | None:
    """C(s) for all shifts within reach; the centre is the shift zero."""
    from scipy import fft

    shape = mask_borders.shape
    reach = min(REACH, min(shape) // 6)
    if reach < 2 * _NEAR or image_edges.shape != shape:
        return None
    inner = np.zeros(shape, np.float32)  # every shift then looks at the same border pixels
    inner[reach:-reach, reach:-reach] = mask_borders[reach:-reach, reach:-reach]
    count = float(inner.sum())
    if count < _FEWEST:
        return None
    size = [fft.next_fast_len(length, real=True) for length in shape]
    product = fft.rfft2(image_edges, size) * np.conj(fft.rfft2(inner, size))
    around_zero = np.arange(-reach, reach + 1)
    return np.asarray(fft.irfft2(product, size)[np.ix_(around_zero, around_zero)] / count, np.float32)


def _read(scores: Floats) -> Alignment:
    reach = len(scores) // 2
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    shift = (int(row) - reach, int(column) - reach)
    away, spread = _elsewhere(scores, shift)
    near_away, near_spread = _elsewhere(scores, (0, 0))
    around = scores[reach - _NEAR : reach + _NEAR + 1, reach - _NEAR : reach + _NEAR + 1]
    best, here = float(scores.max()), float(scores[reach, reach])
    return Alignment(shift, (best - away) / spread, (best - here) / spread, (float(around.max()) - near_away) / near_spread)


def _elsewhere(scores: Floats, place: tuple[int, int]) -> tuple[float, float]:
    """Mean and standard deviation of the scores that are not close to a shift."""
    reach = len(scores) // 2
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    far = scores[np.maximum(abs(rows - place[0]), abs(columns - place[1])) > 2 * _NEAR]
    return float(far.mean()), float(far.std()) + 1e-9
