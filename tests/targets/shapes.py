"""Label images that touch, and which of their objects a target with interiors can give back."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy import ndimage

__all__ = ["label_images", "nearest_objects", "same_objects", "with_whole_interiors"]


@st.composite
def label_images(draw, ndim=2):
    """Blocks and discs painted one over the other, with numbers that leave gaps."""
    shape = tuple(draw(st.integers(5, 24 if ndim == 2 else 10)) for _ in range(ndim))
    labels = np.zeros(shape, np.int32)
    grid = np.indices(shape)
    for number in draw(st.lists(st.integers(1, 40), max_size=6, unique=True)):
        centre = [draw(st.integers(0, n - 1)) for n in shape]
        radius = draw(st.integers(1, 7))
        far = [np.abs(axis - c) for axis, c in zip(grid, centre, strict=True)]
        inside = np.sqrt(sum(f**2 for f in far)) <= radius if draw(st.booleans()) else np.max(far, axis=0) <= radius
        labels[inside] = number
    return labels


def same_objects(one, other):
    """Whether two label images show the same objects, whatever their numbers."""
    if not np.array_equal(one == 0, other == 0):
        return False
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    return all(len(np.unique(side)) == pairs.shape[1] for side in pairs)


def interior(labels, number):
    """The object's pixels whose neighbours across faces, where the frame leaves any, are its own."""
    own = labels == number
    return own & ndimage.binary_erosion(own, border_value=1)


def with_whole_interiors(labels):
    """The same without objects whose interior is in no or several pieces, or does not reach all their pixels; in 3-D also without
    those whose interior meets another's at a corner.
    """
    full = np.ones((3,) * labels.ndim)
    kept = labels.copy()
    inner = np.zeros_like(labels)
    for number in np.unique(labels[labels > 0]):
        core = interior(labels, number)
        pieces = ndimage.label(core, full)[1]
        reached = ndimage.binary_dilation(core) & (labels == number)
        meets = (ndimage.binary_dilation(core, full) & (inner > 0)).any()
        if pieces != 1 or not np.array_equal(reached, labels == number) or meets:
            kept[labels == number] = 0
        else:
            inner[core] = number
    return kept


def nearest_objects(labels, spacing):
    """The distance to every object, nearest first: (objects, *spatial)."""
    each = [ndimage.distance_transform_edt(labels != number, spacing) for number in np.unique(labels[labels > 0])]
    return np.sort(np.stack(each), axis=0) if each else np.zeros((0, *labels.shape))
