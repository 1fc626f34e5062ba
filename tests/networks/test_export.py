"""ONNX: open batch and sides, the same answers as torch on odd sizes, one pixel and batches."""

from __future__ import annotations

import pytest
import torch

from microtome.networks import build
from microtome.networks.export import to_onnx

onnxruntime = pytest.importorskip("onnxruntime", reason="runs what was exported")

VALID = {"padding": "valid", "norm": "none"}
slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "settings", "sizes"),
    [
        ("unet", {"depth": 3, "root": 4}, [(1, 33, 47), (3, 7, 64), (3, 1, 1)]),
        ("unet", {"depth": 2, "root": 4, **VALID}, [(1, 18, 22), (3, 20, 18), (3, 50, 64)]),
        ("fcn_same", {"layers": 2, "width": 4}, [(3, 5, 9)]),
        pytest.param("unet", {"depth": 5, "root": 4, **VALID}, [(1, 188, 204), (3, 204, 188)], marks=slow),
        pytest.param("unet", {"depth": 3, "root": 8, "norm": "group", **VALID, "up": "bilinear"}, [(3, 60, 56)], marks=slow),
        pytest.param("unet", {"depth": 3, "root": 4, "norm": "instance", "up": "nearest"}, [(1, 33, 47), (3, 1, 1)], marks=slow),
        pytest.param("unet", {"depth": 3, "root": 4, "dimensions": 3, "up": "bilinear"}, [(1, 9, 13, 5), (3, 8, 8, 16)], marks=slow),
        pytest.param("unet", {"depth": 3, "root": 4, "dropout": 0.5, "supervised": 1}, [(1, 33, 47)], marks=slow),
        pytest.param("encoder_decoder", {"root": 4}, [(1, 33, 47), (3, 16, 8)], marks=slow),
        pytest.param("encoder_classifier", {"depth": 3, "root": 4}, [(1, 33, 47), (3, 4, 9), (2, 1, 1)], marks=slow),
        pytest.param("tf_unet", {"root": 4}, [(1, 44, 48), (3, 60, 64)], marks=slow),
        pytest.param("timm_unet", {"encoder": "resnet10t", "width": 4}, [(1, 33, 47), (3, 64, 8)], marks=slow),
        pytest.param("timm_unet", {"encoder": "convnext_atto", "width": 4}, [(1, 33, 47), (3, 64, 8)], marks=slow),
        pytest.param("smp", {"encoder": "resnet18"}, [(1, 33, 47), (3, 64, 8)], marks=slow),
        pytest.param("smp", {"encoder": "resnet18", "architecture": "fpn"}, [(1, 33, 47), (3, 64, 8)], marks=slow),
    ],
)
def test_onnx_answers_as_torch_does(name, settings, sizes):
    network = build(name, channels_in=1, outputs={"classes": 3, "distance": 1}, **settings)
    random = torch.Generator().manual_seed(0)
    for key, values in network.state_dict().items():
        if key.endswith(("running_mean", "running_var")):
            values.uniform_(0.5, 1.5, generator=random)
    was_training = network.training
    session = onnxruntime.InferenceSession(to_onnx(network), providers=["CPUExecutionProvider"])
    assert network.training == was_training
    assert [one.name for one in session.get_inputs()] == ["image"]
    assert [one.name for one in session.get_outputs()] == ["classes", "distance"]
    network.eval()
    for count, *size in sizes:
        x = torch.rand(count, 1, *size, generator=random)
        with torch.no_grad():
            wanted = network(x)
        for answer, (output, exact) in zip(session.run(None, {"image": x.numpy()}), wanted.items(), strict=True):
            assert (torch.from_numpy(answer) - exact).abs().max() <= 2e-5 * exact.abs().max(), output
