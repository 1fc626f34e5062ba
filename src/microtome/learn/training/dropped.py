"""What of the labels a target cannot hold: objects that do not come back when they are encoded and decoded without any network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from microtome.core.classes import ClassTable
from microtome.core.errors import RecipeError
from microtome.core.events import collect_warnings
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.learn.training.prepare import StepDocument, done
from microtome.measure.metrics.evaluate import evaluate_set
from microtome.targets.catalogue import Target
from microtome.targets.heads import perfect_scores

__all__ = ["Lost", "lost_objects"]


@dataclass(frozen=True)
class Lost:
    """Objects that a network without fault would not give back.

    Attributes
    ----------
    lost, total : int
        Of the objects of all images: those that meet no decoded one at an IoU of 0.5.
    worst : tuple of (str, int)
        The images that lose most.
    """

    lost: int
    total: int
    worst: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """Of all objects."""
        return self.lost / self.total if self.total else 0.0


def lost_objects(
    labels: Iterable[tuple[str, SemanticMap | InstanceMap]], target: Target, classes: ClassTable, refine: Sequence[StepDocument] = ()
) -> Lost:
    """Encode and decode prepared labels, each with its image's name; semantic labels lose nothing.

    Where the target decodes to classes, the steps of `refine` number the objects.

    Raises
    ------
    RecipeError
        If nothing does.

    Examples
    --------
    >>> import numpy as np
    >>> from microtome.targets import catalogue
    >>> dots = InstanceMap(np.array([[1, 2, 0, 3]]))
    >>> lost_objects([("dots", dots)], catalogue.load("interior_border"), dots.classes)
    Lost(lost=1, total=3, worst=(('dots', 1),))
    """
    total, by_image = 0, {}
    for name, truth in labels:
        if not isinstance(truth, InstanceMap):
            return Lost(0, 0, ())
        with collect_warnings():
            scores = perfect_scores(target.encode(truth), target.heads(classes, truth.ndim), truth)
            counted = evaluate_set([(_numbered(target.decode(scores), refine), truth)], task="instance", metrics=["fn_50"])
        total += len(truth)
        if missed := round(counted.get("fn_50", 0.0)):
            by_image[name] = missed
    worst = sorted(by_image.items(), key=lambda one: -one[1])[:5]
    return Lost(sum(by_image.values()), total, tuple(worst))


def _numbered(mask: SemanticMap | InstanceMap, refine: Sequence[StepDocument]) -> InstanceMap:
    numbering = [step for step in refine if "drop_small" not in step]  # its least area is in the images' own pixels, and is meant
    found: SemanticMap | InstanceMap = mask if isinstance(mask, InstanceMap) else done(mask, numbering)
    if not isinstance(found, InstanceMap):
        raise RecipeError("target: is decoded to classes, and the labels are objects: let a step of refine number them, such as "
                          "connected_components, or choose another target")  # fmt: skip
    return found
