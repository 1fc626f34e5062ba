"""Cut inputs as a step's declaration says they may be cut, run the step on the pieces, and put the results together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from microtome.core.raster import Image, InstanceMap, Raster
from microtome.core.step import Step

__all__ = [
    "arrays_of",
    "blocks_joined",
    "components_joined",
    "nouns_of",
    "same_objects",
    "tiles_by_summary",
    "tiles_with_halo",
    "windows_blended",
]

Box = tuple[slice, ...]
Inputs = dict[str, Raster]


def nouns_of(result: Any) -> dict[str, Raster]:
    """What a step gave, by name."""
    return {"result": result} if isinstance(result, Raster) else result._asdict()


def arrays_of(result: Any) -> dict[str, NDArray[Any]]:
    """The arrays a step gave, by name."""
    return {name: noun.pixels for name, noun in nouns_of(result).items()}


def uneven(shape: tuple[int, ...]) -> Iterator[Box]:
    """Boxes of different sizes that cover the shape; no axis is cut in the middle."""
    cuts = [sorted({0, max(1, n // 5), max(1, 2 * n // 3), n}) for n in shape]
    return (tuple(slice(a, b) for a, b in spans) for spans in product(*(list(pairwise(c)) for c in cuts)))


def cropped(inputs: Inputs, box: Box) -> Inputs:
    """The same part of every input."""
    return {name: noun.with_pixels(noun.pixels[box]) for name, noun in inputs.items()}


def shape_of(inputs: Inputs) -> tuple[int, ...]:
    """The spatial shape all inputs share."""
    return next(iter(inputs.values())).shape


def tiles_with_halo(step: Step, inputs: Inputs, settings: dict[str, Any], halo: int) -> dict[str, NDArray[Any]]:
    """Run on tiles widened by the halo (up to the frame), and keep each tile's own part."""
    shape = shape_of(inputs)
    whole: dict[str, NDArray[Any]] = {}
    for box in uneven(shape):
        wide = tuple(slice(max(0, s.start - halo), min(n, s.stop + halo)) for s, n in zip(box, shape, strict=True))
        own = tuple(slice(s.start - w.start, s.stop - w.start) for s, w in zip(box, wide, strict=True))
        for name, pixels in arrays_of(step(**cropped(inputs, wide), **settings)).items():
            _put(whole, name, pixels[own], box, shape)
    return whole


def tiles_by_summary(step: Step, inputs: Inputs, settings: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Run on tiles that share the summary merged over all of them."""
    shape = shape_of(inputs)
    first = next(iter(inputs))
    boxes = list(uneven(shape))
    summary = step.summarise([cropped(inputs, box)[first] for box in reversed(boxes)], **settings)
    whole: dict[str, NDArray[Any]] = {}
    for box in boxes:
        for name, pixels in arrays_of(step(**cropped(inputs, box), **settings, summary=summary)).items():
            _put(whole, name, pixels, box, shape)
    return whole


def blocks_joined(step: Step, inputs: Inputs, settings: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Run on blocks, and make one object of objects that touch across a face where the input has one value."""
    shape = shape_of(inputs)
    source = next(iter(inputs.values())).pixels
    block = np.zeros(shape, np.int32)
    whole: dict[str, NDArray[Any]] = {}
    for number, box in enumerate(uneven(shape)):
        block[box] = number
        for name, pixels in arrays_of(step(**cropped(inputs, box), **settings)).items():
            top = int(whole[name].max()) if name in whole else 0
            _put(whole, name, np.where(pixels > 0, pixels + top, 0), box, shape)
    faces = step.check(settings).get("connectivity") == "faces"
    return {name: _joined(labels, source, block, faces=faces) for name, labels in whole.items()}


def components_joined(step: Step, inputs: Inputs, settings: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Run on one component of the mask at a time, cut out with a margin of one pixel and nothing else inside.

    What a component encloses goes with it, or its holes would not be its own.
    """
    shape = shape_of(inputs)
    masks = {name: noun for name, noun in inputs.items() if not isinstance(noun, Image)}
    domain = masks["mask"] if "mask" in masks else next(iter(masks.values()))
    filled = ndi.binary_fill_holes(domain.pixels.any(axis=-1) if domain.has_channels else domain.pixels != 0)
    components, _ = ndi.label(filled, ndi.generate_binary_structure(len(shape), len(shape)))
    whole: dict[str, NDArray[Any]] = {}
    for number, found in enumerate(ndi.find_objects(components), 1):
        box = tuple(slice(max(0, s.start - 1), min(n, s.stop + 1)) for s, n in zip(found, shape, strict=True))
        mine = components[box] == number
        alone = {
            name: noun.with_pixels(_where(mine, noun.pixels[box]) if name in masks else noun.pixels[box]) for name, noun in inputs.items()
        }
        for name, noun in nouns_of(step(**alone, **settings)).items():
            assert not noun.pixels[~mine].any(), f"{step.name} writes outside the component it was given"
            target = whole.setdefault(name, np.zeros(shape, np.int64))
            top = int(target.max()) if isinstance(noun, InstanceMap) else 0  # objects get new numbers, classes keep theirs
            target[box] = np.where(mine & (noun.pixels > 0), noun.pixels.astype(np.int64) + top, target[box])
    return whole


def windows_blended(
    step: Step, inputs: Inputs, settings: dict[str, Any], window: tuple[int, ...], overlap: tuple[int, ...]
) -> NDArray[Any]:
    """Run on one window at a time, from the last to the first, and take the mean, weighted by ramps over the overlaps.

    The windows start at 0 along every axis and step by what does not overlap; beyond the image it is mirrored.
    """
    (name, image), *_ = inputs.items()
    strides = [w - o for w, o in zip(window, overlap, strict=True)]
    counts = [1 + max(0, -(-(n - w) // stride)) for n, w, stride in zip(image.shape, window, strides, strict=True)]
    long = [(count - 1) * stride + w for count, stride, w in zip(counts, strides, window, strict=True)]
    wide = np.pad(image.pixels, [(0, n - m) for n, m in zip(long, image.shape, strict=True)], mode="reflect")
    ramps = np.ix_(
        *(
            np.minimum(1, np.minimum(k, k[::-1]) / (o + 1))
            for o, k in ((o, np.arange(1, w + 1)) for w, o in zip(window, overlap, strict=True))
        )
    )
    weight = np.prod(np.broadcast_arrays(*ramps), axis=0)[..., None]
    total, sums = 0.0, np.zeros((*long, 1))
    for place in reversed(list(product(*(range(0, count * stride, stride) for count, stride in zip(counts, strides, strict=True))))):
        box = tuple(slice(p, p + w) for p, w in zip(place, window, strict=True))
        (scores,) = arrays_of(step(**{name: image.with_pixels(wide[box])}, **settings)).values()
        total = np.zeros((*long, scores.shape[-1])) if isinstance(total, float) else total
        total[box] += scores * weight
        sums[box] += weight
    return (total / sums)[tuple(slice(n) for n in image.shape)]


def _where(mine: NDArray[np.bool_], pixels: NDArray[Any]) -> NDArray[Any]:
    """The pixels, all layers of them, and 0 elsewhere."""
    return np.where(mine[..., None] if pixels.ndim > mine.ndim else mine, pixels, 0).astype(pixels.dtype)


def same_objects(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two label images show the same objects on the same background."""
    if not np.array_equal(one == 0, other == 0):
        return False
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    return all(len(np.unique(side)) == pairs.shape[1] for side in pairs)


def _put(whole: dict[str, NDArray[Any]], name: str, part: NDArray[Any], box: Box, shape: tuple[int, ...]) -> None:
    if name not in whole:
        whole[name] = np.zeros(shape + part.shape[len(shape) :], part.dtype)
    assert whole[name].dtype == part.dtype, f"{name}: a tile is {part.dtype}, another {whole[name].dtype}"
    whole[name][box] = part


def _joined(labels: NDArray[Any], source: NDArray[Any], block: NDArray[Any], *, faces: bool) -> NDArray[Any]:
    """Union-find over the pairs of neighbours that lie in different blocks and have one value."""
    parent = np.arange(int(labels.max()) + 1)

    def root(label: int) -> int:
        while parent[label] != label:
            label = parent[label]
        return label

    for step in product((-1, 0, 1), repeat=labels.ndim):
        if step <= (0,) * labels.ndim or (faces and np.abs(step).sum() > 1):
            continue
        here = tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(step, labels.shape, strict=True))
        there = tuple(slice(max(0, s), n - max(0, -s)) for s, n in zip(step, labels.shape, strict=True))
        touching = (block[here] != block[there]) & (source[here] == source[there]) & (labels[here] > 0) & (labels[there] > 0)
        for a, b in zip(labels[here][touching], labels[there][touching], strict=True):
            parent[root(b)] = root(a)
    return np.array([root(label) for label in range(parent.size)])[labels]
