"""Summaries of a step that treats each channel alone: one a channel, merged one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, Self, TypeVar

from microtome.core.errors import InputError
from microtome.core.raster import Image

__all__ = ["PerChannel", "each_channel"]


class Summary(Protocol):
    """What a pass returns: something that adds up."""

    def merge(self, other: Self) -> Self:
        """The summary of both together."""


S = TypeVar("S", bound=Summary)
Pass = Callable[[Image, Any, Any], Any]


@dataclass(frozen=True)
class PerChannel(Generic[S]):
    """A summary for each channel, in their order; one for an image without channels."""

    parts: tuple[S, ...]

    def merge(self, other: PerChannel[S]) -> PerChannel[S]:
        """The summaries of both together.

        Raises
        ------
        InputError
            If the number of channels differs.
        """
        if len(self.parts) != len(other.parts):
            raise InputError(f"images of {len(self.parts)} and of {len(other.parts)} channels cannot share one decision")
        return PerChannel(tuple(mine.merge(theirs) for mine, theirs in zip(self.parts, other.parts, strict=True)))


def each_channel(look: Pass, together: Callable[[Any], bool] | None = None) -> Pass:
    """Make a pass over one channel into a pass over each; `together(settings)` says when all are one after all."""
    return partial(_look_at_each, look, together)


def _look_at_each(
    look: Pass, together: Callable[[Any], bool] | None, image: Image, settings: Any, before: PerChannel[Any] | None
) -> PerChannel[Any]:
    as_one = not image.has_channels or (together is not None and together(settings))
    images = [image] if as_one else [image.channel(number) for number in range(image.channel_count)]
    known = before.parts if before else (None,) * len(images)
    return PerChannel(tuple(look(part, settings, found) for part, found in zip(images, known, strict=True)))
