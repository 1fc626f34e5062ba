"""Precision: chosen by the processor, near float32, the same bytes every time; layouts that change no number."""

from __future__ import annotations

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from microtome.core.errors import RecipeError  # noqa: E402
from microtome.learn.training import precision  # noqa: E402
from microtome.networks import build  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def trained(chosen, steps=4):
    """Weights after some steps on one batch, and the losses on the way."""
    network = precision.prepared(build("unet", channels_in=1, outputs={"o": 3}, depth=3, root=8), chosen)
    random = torch.Generator().manual_seed(0)
    images = torch.rand(2, 1, 32, 32, generator=random)
    truth = (images[:, 0] * 3).long().clamp(0, 2)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        with precision.autocast(chosen):
            scores = network(images)["o"]
        loss = torch.nn.functional.cross_entropy(scores.float(), truth)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return network.state_dict(), losses, scores.dtype


def test_auto_follows_the_processor(monkeypatch):
    monkeypatch.setattr(precision.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert precision.choose("cpu").name == "bf16"
    # oneDNN emulates it on older processors and says yes all the same
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    chosen = precision.choose("cpu")
    assert chosen.name == "float32"
    assert "lacks" in chosen.reason
    with pytest.raises(RecipeError, match=r"precision: bf16 was asked for.*lacks.*float32"):
        precision.choose("cpu", "bf16")


def test_float32_is_left_alone():
    assert precision.choose("cpu", "float32").name == "float32"
    assert trained(precision.choose("cpu", "float32"), 1)[2] == torch.float32


def test_other_devices_stay_float32():
    assert precision.choose(torch.device("mps")).name == "float32"


def test_bf16_is_near_float32_and_keeps_float32_weights():
    weights, losses, dtype = trained(precision.Precision("bf16", "test"))
    _, exact, _ = trained(precision.Precision("float32", "test"))
    assert dtype == torch.bfloat16
    assert {value.dtype for value in weights.values()} == {torch.float32, torch.int64}
    assert losses == pytest.approx(exact, rel=0.05)
    assert losses[-1] < losses[0]


def test_the_same_bytes_every_time():
    first, second = (trained(precision.Precision("bf16", "test"))[0] for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(("dimensions", "layout"), [(2, torch.channels_last), (3, torch.channels_last_3d)])
def test_channels_last_keeps_numbers_keys_and_the_tensors_optimisers_hold(dimensions, layout):
    network = build("unet", channels_in=1, outputs={"o": 2}, depth=2, root=4, dimensions=dimensions).eval()
    images = torch.rand(1, 1, *(8,) * dimensions)
    before, held = network(images)["o"].detach(), list(network.parameters())
    state = {name: value.clone() for name, value in network.state_dict().items()}
    assert precision.prepared(network, precision.choose("cpu", "float32")) is network
    assert all(one is other for one, other in zip(held, network.parameters(), strict=True))
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    kernels = [value for value in network.parameters() if value.ndim == dimensions + 2]
    assert kernels
    assert all(value.is_contiguous(memory_format=layout) for value in kernels)
    torch.testing.assert_close(network(images)["o"], before, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's setting")
def test_tuned_memory_keeps_pages():
    # Of a whole process, so in one of its own: freed memory is used again, the kernel hands out nothing new.
    program = """
import resource, sys, torch
from microtome.learn.training.precision import tuned_memory
if not tuned_memory():
    sys.exit("not taken")
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
counts = []
for _ in range(10):
    before = faults()
    torch.ones(1 << 24).sum()
    counts.append(faults() - before)
print(min(counts))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if "not taken" in done.stderr:
        pytest.skip("no glibc")
    assert int(done.stdout) < 1000  # untuned, each of the ten brings all its 16384 pages
