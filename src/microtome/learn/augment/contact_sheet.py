"""A picture of what a network will see: windows of an epoch, changed as they will be, with the outlines of their labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from microtome.core.result import Sample
from microtome.learn.augment.chain import Chain, Plain
from microtome.learn.augment.example import Example, example_of
from microtome.learn.data.dataset import Dataset
from microtome.learn.data.loader import Loader
from microtome.learn.data.windows import Sampling

__all__ = ["contact_sheet", "picture_of", "side_by_side"]

_COLOURS = np.array([(230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167)], np.uint8)
"""Okabe and Ito's, which people with any colour vision can tell apart; classes and objects take them in turn."""
_GAP = 4
_WHITE = 255


def contact_sheet(
    data: Dataset | Iterable[Sample],
    augment: Plain | Chain,
    shape: Sequence[int],
    seed: int = 0,
    *,
    columns: int = 4,
    rows: int = 4,
    sampling: Sampling | None = None,
    epoch: int = 0,
) -> NDArray[np.uint8]:
    """Show the first windows of an epoch side by side.

    Parameters
    ----------
    data : Dataset, or iterable of Sample
    augment : list or Chain
    shape : sequence of int
        Of a window. Of a volume's windows the middle plane is shown.
    seed : int
    columns, rows : int
        At most so many windows; an epoch may have fewer.
    sampling : Sampling, optional
    epoch : int

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Red, green, blue; windows on white, a few pixels apart.

    Raises
    ------
    InputError, RecipeError, RunError
        As `Loader` has it.

    Examples
    --------
    >>> from microtome.core.raster import Image, SemanticMap
    >>> sample = Sample(Image(np.zeros((64, 64), np.uint8)), SemanticMap(np.eye(64, dtype=np.uint8)), name="a")
    >>> contact_sheet([sample], ["flips"], (16, 16), columns=2, rows=2).shape
    (44, 44, 3)
    """
    with Loader(data, shape=shape, batch=1, augment=augment, seed=seed, sampling=sampling) as loader:
        pictures = []
        for batch in islice(loader.epoch(epoch), columns * rows):
            classes = None if batch.classes is None else batch.classes[0]
            objects = None if batch.objects is None else batch.objects[0]
            span = loader.example(batch.windows[0].entry).span
            pictures.append(picture_of(Example(batch.image[0], classes, objects, span=span)))
    return side_by_side(pictures, columns)


def picture_of(example: Example | Sample) -> NDArray[np.uint8]:
    """One window as red, green, blue: its range from black to white, each label outlined inside its own pixels.

    One channel is grey, two are red and green, of more than three the first three are shown.

    Examples
    --------
    >>> labels = np.zeros((5, 5), np.int32)
    >>> labels[1:4, 1:4] = 1
    >>> picture = picture_of(Example(np.zeros((5, 5, 1), np.uint8), objects=labels))
    >>> (picture.sum(-1) > 0).astype(int)
    array([[0, 0, 0, 0, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 0, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 0, 0, 0, 0]])
    """
    one = example_of(example) if isinstance(example, Sample) else example
    middle = (one.shape[0] // 2,) if one.ndim == 3 else ()
    picture = _rgb(one.image[middle], one.span)
    for labels in (one.classes, one.objects):
        if labels is not None:
            plane = labels[middle]
            edge = _inner_edge(plane)
            picture[edge] = _COLOURS[(plane[edge].astype(np.int64) - 1) % len(_COLOURS)]
    return picture


def _rgb(pixels: NDArray[np.generic], span: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = span
    scaled = (pixels.astype(np.float32) - low) * (255.0 / (high - low if high > low else 1.0))
    grey = np.floor(scaled.clip(0, 255) + 0.5).astype(np.uint8)
    if grey.shape[-1] == 1:
        return np.repeat(grey, 3, axis=-1)
    if grey.shape[-1] == 2:
        return np.concatenate([grey, np.zeros_like(grey[..., :1])], axis=-1)
    return grey[..., :3].copy()


def _inner_edge(labels: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Pixels of a label (but 0) with another one beside, above or below them."""
    around = np.pad(labels, 1, mode="edge")
    here = around[1:-1, 1:-1]
    differ = (here != around[:-2, 1:-1]) | (here != around[2:, 1:-1]) | (here != around[1:-1, :-2]) | (here != around[1:-1, 2:])
    return differ & (here != 0)


def side_by_side(pictures: Sequence[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    """Pictures of one size on white, row by row."""
    height, width = pictures[0].shape[:2]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.full((_GAP + rows * (height + _GAP), _GAP + columns * (width + _GAP), 3), _WHITE, np.uint8)
    for number, picture in enumerate(pictures):
        top, left = _GAP + number // columns * (height + _GAP), _GAP + number % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = picture
    return sheet
