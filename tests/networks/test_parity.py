"""An export that answers otherwise is not let through."""

from __future__ import annotations

import pytest
import torch

from microtome.core.errors import RunError
from microtome.networks import build
from microtome.networks.export import to_onnx
from microtome.networks.parity import check_parity

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def unet(**settings):
    return build("unet", **{"channels_in": 2, "outputs": {"classes": 3, "distance": 1}, "depth": 3, "root": 4, **settings})


@pytest.fixture(scope="module")
def exported():
    network = unet()
    return network, to_onnx(network)


def test_a_faithful_export_passes_and_the_network_stays_as_it_was(exported):
    network, data = exported
    network.train()
    before = {name: values.clone() for name, values in network.state_dict().items()}
    assert 0 < check_parity(network, data) < 1e-4
    assert network.training
    assert all(torch.equal(values, before[name]) for name, values in network.state_dict().items())


@pytest.mark.parametrize("settings", [{"padding": "valid", "norm": "none", "depth": 2}, {"dimensions": 3, "depth": 2}])
def test_networks_that_take_some_sides_only_and_volumes(settings):
    network = unet(**settings)
    assert check_parity(network, to_onnx(network)) < 1e-4


def test_other_weights_are_refused(exported):
    network, _ = exported
    with pytest.raises(RunError, match="differs from torch by"):
        check_parity(network, to_onnx(unet(seed=1)))


def test_one_weight_off_by_a_little_is_refused(exported):
    _, data = exported
    changed = unet()
    with torch.no_grad():
        next(p for name, p in changed.named_parameters() if name.endswith("bias") and p.numel() == 3)[1] += 0.01
    with pytest.raises(RunError, match="in classes on an empty image"):
        check_parity(changed, data)


def test_statistics_that_are_not_those_of_the_export_are_refused():
    """Batch normalisation with statistics that moved after the export."""
    moved = unet(norm="batch")
    same = to_onnx(moved)
    for name, values in moved.state_dict().items():
        if name.endswith("running_var"):
            values.mul_(4)
    with pytest.raises(RunError, match="differs from torch"):
        check_parity(moved, same)


def test_a_missing_output_and_a_fixed_batch_are_named(exported):
    network, data = exported
    one = unet(outputs={"classes": 3})
    with pytest.raises(RunError, match="has no output distance; it has classes"):
        check_parity(network, to_onnx(one))
    model = onnx.load_from_string(data)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    with pytest.raises(RunError, match="fails on a batch of three"):
        check_parity(network, model.SerializeToString())


def test_a_network_gone_to_nan_is_named(exported):
    network = unet()
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    with pytest.raises(RunError, match="its training has failed"):
        check_parity(network, exported[1])
