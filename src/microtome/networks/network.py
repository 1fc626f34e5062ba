"""What every network answers: its outputs by name, its parameters, the sizes it takes and gives, its stride and receptive field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from microtome.core.errors import InputError
from microtome.networks.arithmetic import LegalSizes

__all__ = ["Network"]


class Network(nn.Module):
    """A batch (N, channels_in, \\*spatial) to a dict of named tensors (N, channels, \\*spatial): logits, never probabilities.

    A network is one file of its name: a class of this kind whose keyword-only arguments are its settings. It calls
    ``super().__init__`` with the facts below, `check` first in `forward`, and answers `expected_parameters` and
    `receptive_field`.

    Parameters
    ----------
    channels_in : int
    outputs : dict of str to int
        The channels of each named output.
    dimensions : 2 or 3
        Spatial axes.
    stride : int
        Input pixels a pixel of the deepest map.
    sizes : LegalSizes
        The sides it takes as they are, the same along every axis.
    margin : int
        The pixels an output lacks at each side of the input: above zero for valid convolutions.
    pads_inside : bool
        Whether other sides are padded inside and cropped again; if not, they are refused.
    is_local : bool
        Whether an output depends on its receptive field alone. Instance and group normalisation, pooling over the image
        and attention look at all of it.

    """

    def __init__(
        self,
        *,
        channels_in: int,
        outputs: Mapping[str, int],
        dimensions: int,
        stride: int,
        sizes: LegalSizes,
        margin: int = 0,
        pads_inside: bool = True,
        is_local: bool = True,
    ) -> None:
        super().__init__()
        self.channels_in = channels_in
        self.outputs = dict(outputs)
        self.dimensions = dimensions
        self.stride = stride
        self.sizes = sizes
        self.margin = margin
        self.pads_inside = pads_inside
        self.is_local = is_local

    def expected_parameters(self) -> int:
        """How many trainable numbers it has, by formula; running statistics are not counted."""
        raise NotImplementedError

    def receptive_field(self) -> tuple[int, int] | None:
        """The least and the greatest side of what an output pixel sees, in input pixels; None where it is not derived.

        Borders are not clipped, and what normalisation sees is not in it. The two differ where up-sampling gives the pixels
        of one output different views.
        """
        raise NotImplementedError

    def legal_sizes(self, near: int) -> tuple[int, ...]:
        """The sides next to `near` that pass as they are: the one below and the one above, or `near` itself."""
        return self.sizes.near(near)

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """The spatial size of every output for an input of this spatial size.

        Raises
        ------
        InputError
            If the network neither takes the size nor pads inside; the nearest legal sizes are named.
        """
        if not self.pads_inside:
            for side in size:
                if side not in self.sizes:
                    near = " and ".join(map(str, self.sizes.near(side)))
                    raise InputError(
                        f"{type(self).__name__} takes no side of {side} pixels: legal sides are {self.sizes}, nearest {near};"
                        f" mirror the image outwards or cut it to one of these"
                    )
        return tuple(side - 2 * self.margin for side in size)

    def check(self, batch: Tensor) -> None:
        """Refuse a batch of the wrong shape, channels, type or size; call it first in `forward`. Exporters skip it.

        Raises
        ------
        InputError
            With the batch's shape and what was expected.
        """
        if torch.compiler.is_compiling():
            return
        name = type(self).__name__
        if batch.ndim != self.dimensions + 2:
            axes = "(N, C, y, x)" if self.dimensions == 2 else "(N, C, z, y, x)"
            raise InputError(f"{name} takes batches {axes}, got shape {tuple(batch.shape)}")
        if batch.shape[1] != self.channels_in:
            raise InputError(f"{name} was built for {self.channels_in} channel(s), got shape {tuple(batch.shape)}: channels are axis 1")
        if not batch.is_floating_point():
            raise InputError(f"{name} takes floating-point batches, got {str(batch.dtype).removeprefix('torch.')}: normalise first")
        if 0 in batch.shape[2:]:
            raise InputError(f"{name} got an empty image: shape {tuple(batch.shape)}")
        self.output_size(batch.shape[2:])
