"""Lets torchvision be imported where its compiled part does not fit the torch beside it (``operator torchvision::nms does not exist``).

timm and segmentation-models-pytorch import torchvision. Where its library does not load, its operators are declared here,
`nms` and `roi_align` with an implementation in torch; the others, which no network of ours uses, stay absent.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

__all__ = ["ensure_torchvision", "nms", "roi_align"]

_LIBRARY: list[Any] = []  # an operator lives as long as the library object that declared it


@cache
def ensure_torchvision() -> bool:
    """Import torchvision, if it is installed, with its own operators or with ours; call it before timm is imported.

    Returns
    -------
    bool
        Whether torchvision is there.
    """
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        return False
    if "torchvision" not in sys.modules and not _compiled_part_loads(Path(found.origin).parent):
        _declare()
        importlib.import_module("torchvision")
        for module in ("torchvision.extension", "torchvision.ops.roi_align"):
            sys.modules[module]._has_ops = lambda: True  # type: ignore[attr-defined]
    return True


def _compiled_part_loads(folder: Path) -> bool:
    for library in (*folder.glob("_C*.so"), *folder.glob("_C*.pyd")):
        try:
            torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
        except OSError:
            return False
        return True
    return False


def _declare() -> None:
    library: Any = torch.library
    own = library.Library("torchvision", "DEF")
    own.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    own.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # torchvision describes it at import
    own.define(
        "roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width, int sampling_ratio,"
        " bool aligned) -> Tensor"
    )
    own.impl("nms", nms, "CompositeExplicitAutograd")
    own.impl("roi_align", roi_align, "CompositeImplicitAutograd")
    _LIBRARY.append(own)


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Keep the best-scored box, drop those that overlap it by more than a threshold, go on with what is left.

    Parameters
    ----------
    boxes : Tensor (N, 4)
        Corners x0, y0, x1, y1, torchvision's order.
    scores : Tensor (N,)
    iou_threshold : float

    Returns
    -------
    Tensor (kept,), int64
        Numbers of the boxes kept, best first; of equal scores the earlier box.

    Examples
    --------
    >>> boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]])
    >>> nms(boxes, torch.tensor([0.8, 0.9, 0.5]), 0.5)
    tensor([1, 2])
    """
    order = scores.sort(descending=True, stable=True).indices
    x0, y0, x1, y1 = boxes[order].unbind(1)
    area = (x1 - x0) * (y1 - y0)
    width = (torch.minimum(x1[:, None], x1) - torch.maximum(x0[:, None], x0)).clamp(min=0)
    height = (torch.minimum(y1[:, None], y1) - torch.maximum(y0[:, None], y0)).clamp(min=0)
    shared = width * height
    overlaps = (shared > iou_threshold * (area[:, None] + area - shared)).cpu()
    kept = torch.ones(len(order), dtype=torch.bool)
    for number in range(len(order)):
        if kept[number]:
            kept[number + 1 :] &= ~overlaps[number, number + 1 :]
    return order[kept.to(order.device)]


def roi_align(
    input: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int, sampling_ratio: int, aligned: bool
) -> Tensor:
    """Regions of a map, each resampled to one size: the mean of bilinear samples in each bin, at real coordinates.

    K. He, G. Gkioxari, P. Dollár, R. Girshick, arXiv:1703.06870, section 3.

    Parameters
    ----------
    input : Tensor (N, C, H, W)
    rois : Tensor (K, 5)
        The image's number and the corners x0, y0, x1, y1, in pixels of the image.
    spatial_scale : float
        Map pixels an image pixel.
    pooled_height, pooled_width : int
    sampling_ratio : int
        Samples a bin and axis; at most zero: as many as a bin has pixels, rounded up.
    aligned : bool
        Whether pixel centres are at halves; if not, a region is at least one pixel wide, as in the first releases.

    Returns
    -------
    Tensor (K, C, pooled_height, pooled_width)

    Examples
    --------
    >>> ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    >>> roi_align(ramp, torch.tensor([[0.0, 2, 2, 6, 6]]), 1.0, 1, 2, 2, True)
    tensor([[[[2.5000, 4.5000]]]])
    """
    offset = 0.5 if aligned else 0.0
    pooled = [input.new_zeros((0, input.shape[1], pooled_height, pooled_width))]
    for image, *corners in rois.tolist():
        x0, y0, x1, y1 = (corner * spatial_scale - offset for corner in corners)
        least = 0.0 if aligned else 1.0
        rows = _bin_weights(y0, max(y1 - y0, least), pooled_height, sampling_ratio, input.shape[2]).to(input)
        columns = _bin_weights(x0, max(x1 - x0, least), pooled_width, sampling_ratio, input.shape[3]).to(input)
        pooled.append((rows @ input[int(image)] @ columns.T)[None])
    return torch.cat(pooled)


def _bin_weights(start: float, extent: float, bins: int, sampling_ratio: int, length: int) -> Tensor:
    """The weight of each of `length` pixels along an axis in each bin: bilinear samples, averaged. Samples outside count zero."""
    samples = sampling_ratio if sampling_ratio > 0 else max(1, -int(-extent // bins))
    at = start + extent * (torch.arange(bins * samples, dtype=torch.float64) + 0.5) / (bins * samples)
    inside = (at >= -1) & (at <= length)
    at = at.clamp(0, length - 1)
    low = at.floor()
    weights = torch.zeros(bins * samples, length, dtype=torch.float64)
    number = torch.arange(bins * samples)
    weights[number, low.long()] += 1 - (at - low)
    weights[number, (low.long() + 1).clamp(max=length - 1)] += at - low
    return (weights * inside[:, None]).view(bins, samples, length).mean(1)
