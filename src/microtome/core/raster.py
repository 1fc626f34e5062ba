"""The nouns that are arrays over pixels: an image, and what is said about each of its pixels.

All are frozen, hold a read-only view of their array, keep channels last, and answer ``np.asarray(x)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError, did_you_mean
from microtome.core.kernels.bands import band_height, in_bands

__all__ = ["AXES", "Image", "InstanceMap", "Raster", "ScoreMap", "SemanticMap"]

AXES = ("yx", "yxc", "zyx", "zyxc")
_LARGEST_ID = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class Raster:
    """What every array over pixels shares: the pixels, their axes and where they lie in the world.

    Attributes
    ----------
    pixels : ndarray
        Read-only.
    axes : str
        ``"yx"``, ``"yxc"``, ``"zyx"`` or ``"zyxc"``. Only a 2-D array may leave it out.
    spacing : tuple of float or None
        The distance between pixel centres along each spatial axis, in `unit`; None where the file does not say.
    unit : str
        ``"um"``, ``"mm"``, ... or ``"px"`` where there is no spacing.
    origin, direction : tuple of float or None
        The place of the first pixel, in `unit`, and the direction cosines by row, where a medical format gives them.
    source : str
        The file it came from, or empty.
    """

    pixels: NDArray[Any]
    axes: str = ""
    spacing: tuple[float, ...] | None = None
    unit: str = "px"
    origin: tuple[float, ...] | None = None
    direction: tuple[float, ...] | None = None
    source: str = ""

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels).view()
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "axes", self.axes or self._axes_of_a_plain_array())
        self._check_axes()
        self._check_spacing()

    def _axes_of_a_plain_array(self) -> str:
        if self.pixels.ndim == 2:
            return "yx"
        guess = {3: "yxc", 4: "zyxc"}.get(self.pixels.ndim, "yx")
        raise InputError(
            f"{self._place()}an array of shape {self.pixels.shape} needs its axes named: write {type(self).__name__}(a, axes={guess!r})"
            f" (one of {', '.join(AXES)})"
        )

    def _check_axes(self) -> None:
        if self.axes not in AXES:
            raise InputError(f"{self._place()}axes {self.axes!r}{did_you_mean(self.axes, AXES)}")
        if len(self.axes) != self.pixels.ndim:
            raise InputError(f"{self._place()}axes {self.axes!r} name {len(self.axes)} dimensions, the array has shape {self.pixels.shape}")

    def _check_spacing(self) -> None:
        if self.spacing is None:
            return
        spacing = tuple(float(s) for s in self.spacing)
        spacing = spacing * self.ndim if len(spacing) == 1 else spacing
        if len(spacing) != self.ndim or not all(0 < s < float("inf") for s in spacing):
            raise InputError(
                f"{self._place()}spacing {self.spacing} must be {self.ndim} numbers above zero, one for each of {self.axes.rstrip('c')!r}"
            )
        object.__setattr__(self, "spacing", spacing)

    def _place(self) -> str:
        return f"{self.source}: " if self.source else ""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.pixels, dtype=dtype, copy=copy)

    @property
    def ndim(self) -> int:
        """The number of spatial axes, 2 or 3."""
        return len(self.axes.rstrip("c"))

    @property
    def shape(self) -> tuple[int, ...]:
        """The spatial shape, without channels."""
        return self.pixels.shape[: self.ndim]

    @property
    def has_channels(self) -> bool:
        """Whether the last axis is one of channels."""
        return self.axes.endswith("c")

    @property
    def aspect(self) -> tuple[float, ...]:
        """The spacing in units of the finest axis: all ones for square pixels or where no spacing is known."""
        if self.spacing is None:
            return (1.0,) * self.ndim
        finest = min(self.spacing)
        return tuple(s / finest for s in self.spacing)

    def with_pixels(self, pixels: NDArray[Any]) -> Self:
        """The same noun over other pixels of the same axes."""
        return replace(self, pixels=pixels)

    def geometry(self) -> dict[str, Any]:
        """What a mask over these pixels inherits, as keyword arguments: axes without channels, spacing, place, source."""
        return {"axes": self.axes.rstrip("c"), "spacing": self.spacing, "unit": self.unit,
                "origin": self.origin, "direction": self.direction, "source": self.source}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Image(Raster):
    """A picture or a volume, channels last.

    Attributes
    ----------
    channels : tuple of str
        Their names, where known; empty otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> Image(np.zeros((4, 5, 3), np.uint8), axes="yxc", spacing=(0.5, 0.5), unit="um").shape
    (4, 5)
    """

    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.channels and len(self.channels) != self.channel_count:
            raise InputError(f"{self._place()}{len(self.channels)} channel names for {self.channel_count} channels")

    @property
    def channel_count(self) -> int:
        """The number of channels; 1 where there is no channel axis."""
        return int(self.pixels.shape[-1]) if self.has_channels else 1

    @cached_property
    def extremes(self) -> tuple[Any, Any]:
        """The least and the greatest value as Python numbers, found once; both NaN where any value is NaN."""

        def look(first: int, past: int) -> tuple[Any, Any]:
            band = self.pixels[first:past]
            return band.min(), band.max()

        found = in_bands(look, len(self.pixels), band_height(self.pixels.shape))
        return np.min([low for low, _ in found]).item(), np.max([high for _, high in found]).item()

    @cached_property
    def not_finite(self) -> int:
        """How many values are NaN or infinite; counted once, 0 for integers."""
        if self.pixels.dtype.kind != "f" or (self.pixels.size and np.isfinite(self.extremes).all()):
            return 0
        return int(self.pixels.size - np.count_nonzero(np.isfinite(self.pixels)))

    def channel(self, which: str | int) -> Image:
        """One channel, by its name or its number from 0.

        Raises
        ------
        InputError
            With the names, or the count, that there are.
        """
        number = self._channel_number(which)
        pixels = self.pixels[..., number] if self.has_channels else self.pixels
        name = self.channels[number : number + 1]
        return replace(self, pixels=pixels, axes=self.axes.rstrip("c"), channels=name)

    def _channel_number(self, which: str | int) -> int:
        if isinstance(which, str) and which in self.channels:
            return self.channels.index(which)
        if isinstance(which, str) and not which.isdecimal():
            known = (
                did_you_mean(which, self.channels)
                if self.channels
                else f"; the file names none, use a number from 0 to {self.channel_count - 1}"
            )
            raise InputError(f"{self._place()}no channel {which!r}{known}")
        if not 0 <= int(which) < self.channel_count:
            raise InputError(f"{self._place()}no channel {which}: there are {self.channel_count}, numbered from 0")
        return int(which)


def _as_ids(pixels: NDArray[Any], what: str) -> NDArray[np.int32]:
    """Hold ids in 32 bits: widen freely, refuse what does not fit, never wrap."""
    if pixels.dtype == np.int32:
        return pixels
    if pixels.dtype.kind not in "bui":
        raise InputError(f"{what}: labels must be whole numbers, found {pixels.dtype}")
    if pixels.size and pixels.dtype.itemsize >= 4 and int(pixels.max()) > _LARGEST_ID:
        raise InputError(f"{what}: id {int(pixels.max())} is above {_LARGEST_ID}; renumber the labels")
    if pixels.size and pixels.dtype.itemsize == 8 and int(pixels.min()) < -_LARGEST_ID:
        raise InputError(f"{what}: id {int(pixels.min())} is below -{_LARGEST_ID}; renumber the labels")
    return pixels.astype(np.int32)


@dataclass(frozen=True, eq=False)
class SemanticMap(Raster):
    """A class for every pixel. `pixels` is uint8, uint16 or int32, without a channel axis; bool becomes 0 and 1.

    Attributes
    ----------
    classes : ClassTable
        What each value means. By default 0 is the background and every other value found is a class of its own.
    """

    classes: ClassTable = field(default_factory=lambda: ClassTable(()))

    def __post_init__(self) -> None:
        super().__post_init__()
        pixels = self.pixels
        if self.has_channels:
            raise InputError(f"{self._place()}a mask has no channel axis, found axes {self.axes!r}")
        if pixels.dtype == bool:
            pixels = pixels.view(np.uint8)
        elif pixels.dtype not in (np.uint8, np.uint16):
            pixels = _as_ids(pixels, f"{self._place()}class map")
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)
        if not len(self.classes):
            top = int(pixels.max(initial=0))
            object.__setattr__(self, "classes", ClassTable.binary() if top <= 1 else ClassTable.numbered(top + 1))

    def foreground(self) -> NDArray[np.bool_]:
        """True where the class is neither background nor ignored."""
        outside = self.classes.values("background", "ignore") or ((0,) if not any(e.value == 0 for e in self.classes) else ())
        if outside == (0,):
            return self.pixels != 0
        return np.isin(self.pixels, outside, invert=True)


@dataclass(frozen=True, eq=False)
class InstanceMap(Raster):
    """An object's number for every pixel, 0 for the background. `pixels` is int32, without a channel axis.

    Attributes
    ----------
    object_class, object_score : dict of int to int or float
        Class value and score by object number, where the method gives one.
    classes : ClassTable
        What the class values mean.
    """

    object_class: dict[int, int] = field(default_factory=dict)
    object_score: dict[int, float] = field(default_factory=dict)
    classes: ClassTable = field(default_factory=ClassTable.binary)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.has_channels:
            raise InputError(f"{self._place()}a mask has no channel axis, found axes {self.axes!r}")
        pixels = _as_ids(self.pixels, f"{self._place()}instance map")
        if pixels.size and int(pixels.min()) < 0:
            raise InputError(f"{self._place()}instance map: id {int(pixels.min())}; objects are numbered from 1, 0 is the background")
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)

    @cached_property
    def ids(self) -> NDArray[np.int32]:
        """The object numbers that occur, ascending, without 0."""
        top = int(self.pixels.max(initial=0))
        if top > 4 * self.pixels.size + 65536:
            found = np.unique(self.pixels)
            return found[found > 0]
        seen = np.zeros(top + 1, bool)
        seen[self.pixels.ravel()] = True
        seen[0] = False
        return np.flatnonzero(seen).astype(np.int32)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class ScoreMap(Raster):
    """Numbers over the same pixels: probabilities, distances, embeddings. With layers, they are the last axis.

    Attributes
    ----------
    layers : tuple of str
        What each layer is, such as ``("distance",)``.
    """

    layers: Sequence[str] = ()
