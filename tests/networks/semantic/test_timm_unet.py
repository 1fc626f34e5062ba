"""A U-Net on timm's encoders: where skips are, where none are, and encoders that cannot be one."""

from __future__ import annotations

import pytest
import torch

from microtome.core.errors import RecipeError, RunError
from microtome.networks import build


def network(encoder, **settings):
    return build("timm_unet", channels_in=1, outputs={"classes": 2}, encoder=encoder, **({"width": 2} | settings))


@pytest.mark.parametrize(
    ("encoder", "strides"),
    [("resnet10t", {2, 4, 8, 16, 32}), ("convnext_atto", {4, 8, 16, 32}), ("mobilenetv3_small_050", {2, 4, 8, 16, 32})],
)
def test_the_expanding_path_takes_a_skip_at_every_stride_there_is(encoder, strides):
    unet = network(encoder)
    assert set(unet.skip_strides) == strides
    assert [own for *_, own in unet.plan] == [32, 16, 8, 4, 2]
    assert [skip > 0 for _, skip, _ in unet.plan] == [2**level in strides for level in (4, 3, 2, 1, 0)]
    assert unet.eval()(torch.zeros(1, 1, 70, 33))["classes"].shape == (1, 2, 70, 33)
    assert unet.training is False


def test_trying_an_encoder_out_moves_no_statistics():
    means = [value for name, value in network("resnet10t").state_dict().items() if name.endswith("running_mean")]
    assert all((mean == 0).all() for mean in means)
    assert network("resnet10t").training


def test_its_decoder_on_resnet34_is_as_large_as_the_well_known_one():
    with torch.device("meta"):
        unet = build("timm_unet", channels_in=3, outputs={"classes": 1}, encoder="resnet34")
    assert sum(weights.numel() for weights in unet.encoder.parameters()) == 21_284_672
    assert sum(weights.numel() for weights in unet.expanding.parameters()) == 3_151_552


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ("resnt34", "timm has no model 'resnt34'; did you mean resnet34"),
        ("vit_tiny_patch16_224", "vit_tiny_patch16_224 takes only some image sizes"),
    ],
)
def test_mistakes_are_named(encoder, message):
    with pytest.raises(RecipeError, match=message):
        network(encoder)


def test_a_failure_to_fetch_is_explained(monkeypatch):
    import timm

    def refuse(*args, **kwargs):
        assert kwargs["pretrained"]
        raise OSError("no connection")

    monkeypatch.setattr(timm, "create_model", refuse)
    with pytest.raises(RunError, match="weights of resnet10t could not be fetched"):
        network("resnet10t", pretrained=True)
