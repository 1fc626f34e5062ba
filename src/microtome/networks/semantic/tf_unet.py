"""The U-Net as the tf_unet repository wrote it: with its activated up-convolutions, its first weights, and its ReLU on the logits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

from torch import Tensor, nn
from torch.nn import functional as F

from microtome.core.parameters import Range
from microtome.networks.semantic.unet import UNet

__all__ = ["TFUNet"]


class TFUNet(UNet):
    """The valid U-Net of tf_unet, slips included, to be compared with `unet`.

    Parameters
    ----------
    channels_in : int
    outputs : dict of str to int
        The channels of each named output.
    depth : int
        Levels (``layers`` there).
    root : int
        Channels of the first level (``features_root`` there).
    dropout : number
        Behind every 3 x 3 convolution, in training (1 - ``keep_prob`` there).
    relu_on_logits : bool
        As printed. It cuts the gradient of every class whose logit is negative, so that training can stall.

    Notes
    -----
    Departures from the paper, all kept: a ReLU behind each up-convolution; dropout behind every convolution; first weights
    from a normal distribution cut at two deviations, its deviation sqrt(2 / (9 features)) with the *output* features of a
    level on the way down and twice those on the way up, for every kernel of the level, whatever it takes in; the last 1 x 1
    layer has the last level's deviation; biases start at 0.1; a ReLU on the logits.
    Sizes, stride and receptive field are `unet`'s with valid padding: legal sides 44 + 4 i at depth 3, the output 40 smaller.

    References
    ----------
    J. Akeret, C. Chang, A. Lucchi, A. Refregier, arXiv:1609.09077, and its repository tf_unet, files unet.py and layers.py.

    Examples
    --------
    >>> network = TFUNet(channels_in=3, outputs={"classes": 2}, root=8)
    >>> network.expected_parameters(), network.output_size((420, 580)), network.receptive_field()
    (29474, (380, 540), (44, 44))
    """

    def __init__(
        self,
        *,
        channels_in: int,
        outputs: Mapping[str, int],
        depth: Annotated[int, Range(1, 9)] = 3,
        root: Annotated[int, Range(1, 1024, search=(8, 64), log=True)] = 16,
        dropout: Annotated[float, Range(0, 0.95, search=(0, 0.5))] = 0.0,
        relu_on_logits: bool = True,
    ) -> None:
        super().__init__(
            channels_in=channels_in,
            outputs=outputs,
            depth=depth,
            root=root,
            padding="valid",
            norm="none",
            dropout=dropout,
            dropout_at="each",
            up_activated=True,
        )
        self.relu_on_logits = relu_on_logits
        for level in range(depth):
            _draw(self.contracting[level], root * 2**level)
        for level in range(depth - 1):
            _draw(self.ups[level], root * 2 ** (level + 1))
            _draw(self.expanding[level], root * 2 ** (level + 1))
        _draw(self.heads, root * 2 if depth > 1 else root)

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        """(N, channels_in, y, x) to a dict of logits (N, channels, y - 2 margin, x - 2 margin), cut at zero where so set."""
        answers = super().forward(batch)
        return {name: F.relu(y) for name, y in answers.items()} if self.relu_on_logits else answers


def _draw(part: nn.Module, features: int) -> None:
    deviation = math.sqrt(2 / (9 * features))
    for layer in part.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) and layer.bias is not None:
            nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
            nn.init.constant_(layer.bias, 0.1)
