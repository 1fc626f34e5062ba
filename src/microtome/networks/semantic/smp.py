"""Any architecture and encoder of segmentation-models-pytorch, behind the same face as our own networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from microtome.core.errors import RecipeError, RunError, did_you_mean
from microtome.networks.arithmetic import LegalSizes
from microtome.networks.blocks.frame import crop_to, pad_to_step
from microtome.networks.blocks.heads import split
from microtome.networks.blocks.input_statistics import InputStatistics
from microtome.networks.network import Network
from microtome.networks.torchvision_operators import ensure_torchvision

ensure_torchvision()

import segmentation_models_pytorch as library  # type: ignore[import-untyped]  # noqa: E402
import timm  # noqa: E402

__all__ = ["SMP"]


class SMP(Network):
    """An architecture of segmentation-models-pytorch on one of its encoders, or on one of timm's.

    Parameters
    ----------
    channels_in : int
    outputs : dict of str to int
        The channels of each named output, taken from one last map in this order.
    architecture : str
        As the library names them.
    encoder : str
        One of the library's encoders, or ``tu-`` and the name of a timm model.
    pretrained : bool
        Whether the encoder starts with weights learned on ImageNet. They are downloaded from their publisher; nothing is
        fetched otherwise. Pictures of three channels are then brought to the means and deviations it was trained on.

    Notes
    -----
    A batch (N, channels_in, y, x) becomes (N, channels, y, x) an output. Legal sides are the multiples of the encoder's
    stride, mostly 32, for some from a least one; others are padded with zeros inside and cropped. The receptive field is not
    derived: many of these networks look at the whole image. With ``architecture="unet", encoder="resnet34"``, three channels
    in and one out: 24,436,369 parameters.

    Weights and licences are the library's and its encoders' own.

    References
    ----------
    P. Iakubovskii, Segmentation Models Pytorch, https://github.com/qubvel-org/segmentation_models.pytorch.

    Examples
    --------
    >>> network = SMP(channels_in=3, outputs={"classes": 2}, architecture="fpn", encoder="resnet18").eval()
    >>> network(torch.zeros(1, 3, 40, 33))["classes"].shape
    torch.Size([1, 2, 40, 33])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        outputs: Mapping[str, int],
        architecture: Literal[
            "unet", "unetplusplus", "manet", "linknet", "fpn", "pspnet", "deeplabv3", "deeplabv3plus", "pan", "upernet", "segformer", "dpt"
        ] = "unet",
        encoder: str = "resnet34",
        pretrained: bool = False,
    ) -> None:
        model = _create(architecture, encoder, pretrained, channels_in, sum(outputs.values()))
        step = int(model.encoder.output_stride)
        super().__init__(channels_in=channels_in, outputs=outputs, dimensions=2, stride=step, sizes=LegalSizes(step, step), is_local=False)
        self.model = model
        self.statistics = InputStatistics(channels_in)
        self.sizes = LegalSizes(self._least_side(f"{architecture} on {encoder}"), step)
        if pretrained and channels_in == 3:
            self.statistics.set(*_statistics(encoder))

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        """(N, channels_in, y, x) to a dict of logits (N, channels, y, x)."""
        self.check(batch)
        y = self.model(pad_to_step(self.statistics(batch), self.sizes.step, self.sizes.least))
        return split(crop_to(y, batch.shape[2:]), self.outputs)

    def _least_side(self, name: str) -> int:
        """The least side it takes, found by trying: some architectures pool several times more at the bottom.

        Vision transformers that take only the size they were trained at are refused.
        """
        self.eval()
        problem: Exception | None = None
        for least in (self.stride, 4 * self.stride, 8 * self.stride):
            try:
                with torch.no_grad():
                    self.model(torch.zeros(1, self.channels_in, least, least + self.stride))
            except (RuntimeError, AssertionError, ValueError) as error:
                problem = error
            else:
                self.train()
                return least
        raise RecipeError(f"smp: {name} takes only some image sizes: {problem}; choose a convolutional encoder") from problem

    def expected_parameters(self) -> int:
        """What the library made: its networks answer no formula."""
        return sum(weights.numel() for weights in self.model.parameters())

    def receptive_field(self) -> None:
        """Not derived."""


def _create(architecture: str, encoder: str, pretrained: bool, channels_in: int, channels_out: int) -> Any:
    _check_encoder(encoder)
    weights = _weights_name(encoder) if pretrained else None
    try:
        return library.create_model(
            architecture, encoder_name=encoder, encoder_weights=weights, in_channels=channels_in, classes=channels_out
        )
    except OSError as error:
        raise RunError(f"smp: the weights of {encoder} could not be fetched ({error}); connect, or build without pretrained") from error
    except (ValueError, RuntimeError, KeyError, AssertionError) as error:
        raise RecipeError(f"smp: {architecture} cannot be built on {encoder}: {error}; choose another encoder or architecture") from error


def _check_encoder(encoder: str) -> None:
    if encoder.startswith("tu-"):
        if not timm.is_model(encoder.removeprefix("tu-")):
            near = did_you_mean(encoder, [f"tu-{name}" for name in timm.list_models()])
            raise RecipeError(f"smp: timm has no model {encoder.removeprefix('tu-')!r}" + (near if "did you mean" in near else ""))
    elif encoder not in library.encoders.encoders:
        raise RecipeError(
            f"smp: unknown encoder {encoder!r}{did_you_mean(encoder, library.encoders.encoders)}; a timm model is written tu-NAME"
        )


def _weights_name(encoder: str) -> str | bool:
    if encoder.startswith("tu-"):
        return True
    offered = library.encoders.encoders[encoder]["pretrained_settings"]
    if not offered:
        raise RecipeError(f"smp: there are no weights for encoder {encoder}; build without pretrained")
    return "imagenet" if "imagenet" in offered else str(next(iter(offered)))


def _statistics(encoder: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    told = library.encoders.get_preprocessing_params(encoder, _weights_name(encoder))
    return tuple(told["mean"]), tuple(told["std"])
