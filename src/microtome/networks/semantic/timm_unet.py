"""Any convolutional timm model as the encoder of a U-Net."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from microtome.core.errors import RecipeError, RunError, did_you_mean
from microtome.core.parameters import Range
from microtome.networks.arithmetic import LegalSizes
from microtome.networks.blocks.conv import ConvStyle, conv_pair, unit_parameters
from microtome.networks.blocks.frame import crop_to, pad_to_step
from microtome.networks.blocks.heads import Heads, head_parameters
from microtome.networks.blocks.initialise import he_initialise
from microtome.networks.blocks.input_statistics import InputStatistics
from microtome.networks.network import Network
from microtome.networks.torchvision_operators import ensure_torchvision

ensure_torchvision()

import timm  # noqa: E402

__all__ = ["TimmUNet"]


class TimmUNet(Network):
    """The maps of a timm model at every stride, and a U-Net's expanding path over them.

    Parameters
    ----------
    channels_in : int
    outputs : dict of str to int
        The channels of each named output.
    encoder : str
        A timm model that gives maps at several strides and takes any image size: resnet, convnext, efficientnet, mobilenet,
        regnet and their like.
    width : int
        Channels of the expanding path at full size, doubled at each coarser level.
    pretrained : bool
        Whether the encoder starts with published weights. They are downloaded from their publisher; nothing is fetched
        otherwise.

    Notes
    -----
    A batch (N, channels_in, y, x) becomes (N, channels, y, x) an output. The expanding path goes from the encoder's stride
    to full size by halves: nearest up-sampling, concatenation with the encoder's map of that size where it has one, two
    3 x 3 convolutions with batch normalisation and ReLU. Legal sides are the multiples of the stride, mostly 32; others are
    padded with zeros inside and cropped. The receptive field is not derived: many encoders weigh channels over the whole
    image.

    References
    ----------
    R. Wightman, PyTorch Image Models, doi:10.5281/zenodo.4414861. O. Ronneberger, P. Fischer, T. Brox, arXiv:1505.04597.

    Examples
    --------
    >>> network = TimmUNet(channels_in=1, outputs={"classes": 2}, encoder="resnet10t", width=4).eval()
    >>> network(torch.zeros(1, 1, 40, 33))["classes"].shape, network.stride
    (torch.Size([1, 2, 40, 33]), 32)
    """

    def __init__(
        self,
        *,
        channels_in: int,
        outputs: Mapping[str, int],
        encoder: str = "resnet34",
        width: Annotated[int, Range(1, 256, search=(8, 32), log=True)] = 16,
        pretrained: bool = False,
    ) -> None:
        features = _create(encoder, pretrained, channels_in)
        skips = dict(zip(features.feature_info.reduction(), features.feature_info.channels(), strict=True))
        stride = max(skips)
        super().__init__(
            channels_in=channels_in, outputs=outputs, dimensions=2, stride=stride, sizes=LegalSizes(stride, stride), is_local=False
        )
        self.encoder = features
        self.statistics = InputStatistics(channels_in)
        self.style = ConvStyle(norm="batch", bias=False)
        self.plan = _expanding_plan(skips, width)
        self.skip_strides = tuple(features.feature_info.reduction())
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.expanding = nn.ModuleList(conv_pair(above + skip, (own, own), self.style) for above, skip, own in self.plan)
        self.heads = Heads(self.plan[-1][2], outputs, dimensions=2)
        he_initialise(self.expanding)
        he_initialise(self.heads)
        if pretrained and channels_in == 3:
            told: Any = timm.get_pretrained_cfg(encoder)
            self.statistics.set(told.mean, told.std)

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        """(N, channels_in, y, x) to a dict of logits (N, channels, y, x)."""
        self.check(batch)
        maps = dict(
            zip(self.skip_strides, self.encoder(pad_to_step(self.statistics(batch), self.sizes.step, self.sizes.least)), strict=True)
        )
        x, stride = maps[self.stride], self.stride
        for pair in self.expanding:
            x, stride = self.up(x), stride // 2
            x = pair(torch.cat([maps[stride], x], dim=1) if stride in maps else x)
        return {name: crop_to(y, batch.shape[2:]) for name, y in self.heads(x).items()}

    def expected_parameters(self) -> int:
        """The encoder as timm made it, and the sum over the expanding path and the heads."""
        encoder = sum(weights.numel() for weights in self.encoder.parameters())
        expanding = sum(
            unit_parameters(above + skip, own, self.style) + unit_parameters(own, own, self.style) for above, skip, own in self.plan
        )
        return encoder + expanding + head_parameters(self.plan[-1][2], self.outputs)

    def receptive_field(self) -> None:
        """Not derived."""


def _create(encoder: str, pretrained: bool, channels_in: int) -> Any:
    if not timm.is_model(encoder):
        near = did_you_mean(encoder, timm.list_models())
        raise RecipeError(f"timm_unet: timm has no model {encoder!r}" + (near if "did you mean" in near else ""))
    try:
        features = timm.create_model(encoder, pretrained=pretrained, features_only=True, in_chans=channels_in)
    except OSError as error:
        raise RunError(
            f"timm_unet: the weights of {encoder} could not be fetched ({error}); connect, or build without pretrained"
        ) from error
    except (RuntimeError, ValueError, AttributeError, TypeError, AssertionError) as error:
        raise RecipeError(f"timm_unet: {encoder} gives no maps to build on: {error}; choose a convolutional encoder") from error
    _try_out(features, encoder, channels_in)
    return features


def _try_out(features: Any, encoder: str, channels_in: int) -> None:
    """Refuse an encoder whose maps are not where it says, channels first, at two sizes that nobody trained it for."""
    told = list(zip(features.feature_info.reduction(), features.feature_info.channels(), strict=True))
    stride = max(reduction for reduction, _ in told)
    features.eval()
    try:
        with torch.no_grad():
            for sides in (1, 3):
                found = [tuple(y.shape[1:]) for y in features(torch.zeros(1, channels_in, stride, sides * stride))]
                if found != [(channels, stride // by, sides * stride // by) for by, channels in told]:
                    raise RecipeError(
                        f"timm_unet: the maps of {encoder} have shapes {found}, not one a stride; choose a convolutional encoder"
                    )
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(f"timm_unet: {encoder} takes only some image sizes: {error}; choose a convolutional encoder") from error
    features.train()


def _expanding_plan(skips: Mapping[int, int], width: int) -> list[tuple[int, int, int]]:
    """For each doubling from the coarsest map to full size: channels from below, of the skip (0 if none), and of its own."""
    stride = max(skips)
    if stride & (stride - 1):
        raise RecipeError(f"timm_unet: the encoder's stride is {stride}, which halving does not reach; choose another")
    plan = []
    above = skips[stride]
    for level in reversed(range(int(math.log2(stride)))):
        own = width * 2**level
        plan.append((above, skips.get(2**level, 0), own))
        above = own
    return plan
