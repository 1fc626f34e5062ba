"""What a recipe makes of one image, and a labelled example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from microtome.core.explain import Explanation
from microtome.core.raster import Image, InstanceMap, ScoreMap, SemanticMap
from microtome.core.table import Table

__all__ = ["Result", "Sample"]

Mask = SemanticMap | InstanceMap


@dataclass(frozen=True, eq=False)
class Result:
    """The masks, measurements and story of one image.

    Attributes
    ----------
    name : str
        The input's name within the run, such as ``"plate1/well 03.tif"``.
    masks : mapping of str to SemanticMap or InstanceMap
        By output name. Empty where the run wrote them to files and sent only those (see `files`).
    objects : Table
        A row an object (a class, for a semantic map) and the measured columns; `output` says which mask.
    image : Image or None
        The image as read.
    files : mapping of str to str
        Where each mask was written, relative to the output folder.
    summary : mapping
        The image's row of ``images.csv``.
    record : mapping
        What ``run.json`` says of the image: its hash, its outputs with their kinds, counts and classes.
    timings : mapping of str to float
        Seconds by step, and ``read``, ``measure``, ``write``.
    warnings : sequence of str
    explained : sequence of Explanation
    scores : mapping of str to ScoreMap
        What networks and other steps gave before masks were made of it, where it was asked for.
    """

    name: str
    masks: Mapping[str, Mask] = field(default_factory=dict)
    objects: Table = field(default_factory=lambda: Table({}))
    image: Image | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    explained: Sequence[Explanation] = ()
    scores: Mapping[str, ScoreMap] = field(default_factory=dict)

    @property
    def mask(self) -> Mask:
        """The last output, which is the one most recipes have."""
        return list(self.masks.values())[-1]

    def _repr_html_(self) -> str:
        """Show the picture and the table in a notebook."""
        import importlib

        page = importlib.import_module("microtome.app.report.notebook")  # by name: the core imports no face
        return str(page.result_html(self))


@dataclass(frozen=True, eq=False)
class Sample:
    """An image with its truth, and the group that must not be split between training and testing."""

    image: Image
    truth: Mask
    group: str = ""
    name: str = ""
