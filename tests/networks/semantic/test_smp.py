"""Networks of segmentation-models-pytorch: nothing is fetched unasked, mistakes are named."""

from __future__ import annotations

import pytest
import torch

from microtome.core.errors import RecipeError, RunError
from microtome.networks import build


def network(**settings):
    return build("smp", channels_in=1, outputs={"interior": 1, "border": 2}, **settings)


def test_outputs_share_the_channels_in_their_order():
    unet = network(encoder="resnet18").eval()
    x = torch.rand(1, 1, 33, 40)
    with torch.no_grad():
        answers = unet(x)
        framed = torch.zeros(1, 1, 64, 64)
        framed[..., :33, :40] = x
        whole = unet.model(framed)[..., :33, :40]
    assert torch.equal(answers["interior"], whole[:, :1])
    assert torch.equal(answers["border"], whole[:, 1:])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoder": "resnt34"}, "unknown encoder 'resnt34'; did you mean resnet34"),
        ({"encoder": "tu-convnext_ato"}, "timm has no model 'convnext_ato'; did you mean tu-convnext_atto"),
        ({"architecture": "unett"}, "architecture: found 'unett', expected one of unet"),
        ({"architecture": "dpt", "encoder": "resnet18"}, "dpt cannot be built on resnet18"),
        ({"architecture": "dpt", "encoder": "tu-vit_tiny_patch16_224"}, "takes only some image sizes"),
    ],
)
def test_mistakes_are_named(settings, message):
    with pytest.raises(RecipeError, match=message):
        network(**settings)


def test_weights_are_fetched_only_when_asked_and_a_failure_is_explained(monkeypatch):
    import segmentation_models_pytorch.encoders as encoders

    def refuse(*args, **kwargs):
        raise OSError("no connection")

    monkeypatch.setattr(encoders, "hf_hub_download", refuse)
    network(encoder="resnet18")
    with pytest.raises(RunError, match=r"weights of resnet18 could not be fetched \(no connection\)"):
        network(encoder="resnet18", pretrained=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "architecture",
    ["unet", "unetplusplus", "manet", "linknet", "fpn", "pspnet", "deeplabv3", "deeplabv3plus", "pan", "upernet", "segformer"],
)
def test_every_architecture_takes_odd_sizes(architecture):
    answers = network(architecture=architecture, encoder="resnet18").eval()(torch.zeros(2, 1, 65, 97))
    assert {name: tuple(y.shape) for name, y in answers.items()} == {"interior": (2, 1, 65, 97), "border": (2, 2, 65, 97)}


def test_the_statistics_of_a_pretrained_encoder_go_with_its_weights():
    told, plain = (build("smp", channels_in=3, outputs={"classes": 2}, encoder="resnet18").eval() for _ in range(2))
    plain.load_state_dict(told.state_dict())
    told.statistics.set([0.5, 0.4, 0.3], [0.2, 0.25, 0.5])
    batch = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    by_hand = (batch - torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1)) / torch.tensor([0.2, 0.25, 0.5]).view(3, 1, 1)
    torch.testing.assert_close(told(batch)["classes"], plain(by_hand)["classes"])
    plain.load_state_dict(told.state_dict())
    torch.testing.assert_close(told(batch)["classes"], plain(batch)["classes"], rtol=0, atol=0)
