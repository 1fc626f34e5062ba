"""Checkpoints: what is written comes back bit for bit, in its own layout; what is damaged or of another network is refused."""

from __future__ import annotations

import errno
import json

import pytest

torch = pytest.importorskip("torch")

from safetensors import SafetensorError  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from microtome.core.errors import InputError, RunError  # noqa: E402
from microtome.learn.training import checkpoint  # noqa: E402
from microtome.learn.training.checkpoint import State, bytes_needed, load_checkpoint, restore, save_checkpoint  # noqa: E402
from microtome.learn.training.optimisers import optimiser_of  # noqa: E402
from microtome.learn.training.room import check_room  # noqa: E402


def network(seed=0, width=4):
    torch.manual_seed(seed)
    made = torch.nn.Sequential(torch.nn.Conv2d(3, width, 3), torch.nn.BatchNorm2d(width), torch.nn.ReLU(), torch.nn.Conv2d(width, 2, 1))
    made[0].weight.data = made[0].weight.data.contiguous(memory_format=torch.channels_last)
    return made


def step(made, optimiser, seed):
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed)).contiguous(memory_format=torch.channels_last)
    optimiser.zero_grad()
    made(x).square().mean().backward()
    optimiser.step()


@pytest.mark.parametrize("document", [{"adamw": {}}, {"sgd": {"rate": 0.1}}])
def test_going_on_from_a_checkpoint_is_the_same_bits_as_never_having_stopped(tmp_path, document):
    made = network()
    optimiser = optimiser_of(document, made)
    for number in range(3):
        step(made, optimiser, number)
    save_checkpoint(tmp_path / "a.safetensors", State(3, 1.5, 0.25, 2, {"plan": [1]}), {"network": made}, [optimiser])
    for number in range(3, 6):
        step(made, optimiser, number)

    other = network(seed=1)
    again = optimiser_of(document, other)
    state, tensors, plain = load_checkpoint(tmp_path / "a.safetensors")
    assert state == State(3, 1.5, 0.25, 2, {"plan": [1]})
    restore(tensors, plain, {"network": other}, [again], "a")
    for number in range(3, 6):
        step(other, again, number)
    assert all(torch.equal(one, two) for one, two in zip(made.state_dict().values(), other.state_dict().values(), strict=True))


def test_the_optimisers_own_numbers_are_those_of_the_recipe_and_another_optimiser_is_refused(tmp_path):
    made = network()
    before = optimiser_of({"adamw": {"weight_decay": 0.01}}, made)
    step(made, before, 0)
    save_checkpoint(tmp_path / "c.safetensors", State(1, 1.0, 0.25, 1, {}), {"network": made}, [before])
    _, tensors, plain = load_checkpoint(tmp_path / "c.safetensors")
    now = optimiser_of({"adamw": {"weight_decay": 0.05}}, made)
    decays = [group["weight_decay"] for group in now.param_groups]
    restore(tensors, plain, {"network": made}, [now], source="c")
    assert [group["weight_decay"] for group in now.param_groups] == decays
    with pytest.raises(InputError, match=r"c: is of another optimiser than train\.yaml beside it names"):
        restore(tensors, plain, {"network": made}, [optimiser_of({"sgd": {}}, made)], source="c")


def test_the_optimisers_numbers_lie_as_their_weights_do(tmp_path):
    made = network()
    optimiser = optimiser_of({"adamw": {}}, made)
    step(made, optimiser, 0)
    save_checkpoint(tmp_path / "a.safetensors", State(), {"network": made}, [optimiser])
    other = network(seed=1)
    again = optimiser_of({"adamw": {}}, other)
    _, tensors, plain = load_checkpoint(tmp_path / "a.safetensors")
    restore(tensors, plain, {"network": other}, [again], "a")
    kernel = other[0].weight
    for name in ("exp_avg", "exp_avg_sq"):
        moment = again.state[kernel][name]
        assert moment.stride() == kernel.stride()
        assert moment.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(moment, optimiser.state[made[0].weight][name], rtol=0, atol=0)
    assert kernel.is_contiguous(memory_format=torch.channels_last)


def saved(folder, made=None):
    made = network() if made is None else made
    optimiser = optimiser_of({"adamw": {}}, made)
    step(made, optimiser, 0)
    path = folder / "last.safetensors"
    save_checkpoint(path, State(1), {"network": made}, [optimiser])
    return path


@pytest.mark.parametrize("left", [0, 7, 100, -1])
def test_a_file_that_is_cut_short_is_refused_with_its_name(tmp_path, left):
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match=r"last\.safetensors: is no checkpoint, or is damaged"):
        load_checkpoint(path)


def test_a_file_with_flipped_bits_is_refused_with_its_name(tmp_path):
    path = saved(tmp_path)
    data = bytearray(path.read_bytes())
    data[-5] ^= 0x40  # within the numbers, which the format itself does not check
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"last\.safetensors: is no checkpoint, or is damaged"):
        load_checkpoint(path)


def test_weights_of_somewhere_else_and_a_newer_format_are_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="of format none; this version reads 1"):
        load_checkpoint(path)
    save_file({"a": torch.zeros(1)}, path, metadata={"microtome": json.dumps({"format": 2})})
    with pytest.raises(InputError, match="of format 2; this version reads 1"):
        load_checkpoint(path)
    with pytest.raises(InputError, match="begin anew without --resume"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    _, tensors, plain = load_checkpoint(saved(tmp_path))
    with pytest.raises(InputError, match="is of another network"):
        restore(tensors, plain, {"network": network(width=5)}, [], "last")


def fails(error):
    def write(tensors, path, metadata):
        path.write_bytes(b"half of it")
        raise error

    return write


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_leaves_the_former_checkpoint_whole(tmp_path, monkeypatch, error):
    path = saved(tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr(checkpoint, "save_file", fails(error))
    with pytest.raises(RunError, match=r"last\.safetensors: the disk is full"):
        save_checkpoint(path, State(2), {"network": network(seed=3)}, [])
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["last.safetensors"]


def test_bytes_needed_are_about_those_of_a_checkpoint(tmp_path):
    made = torch.nn.Linear(200, 200)
    optimiser = optimiser_of({"adamw": {}}, made)
    made(torch.rand(1, 200)).sum().backward()
    optimiser.step()
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, State(), {"network": made, "average": torch.nn.Linear(200, 200)}, [optimiser])
    assert path.stat().st_size == pytest.approx(bytes_needed([made]), rel=0.02)
    assert len(load_file(path)) == 4 + 6


def test_room_is_asked_for_before_anything_is_written(tmp_path):
    check_room(tmp_path / "not" / "yet", 1000)
    with pytest.raises(RunError, match=r"run: .* need 3,000,000,000,000\.0 MB, the disk has [\d,.]+ MB left; make room"):
        check_room(tmp_path / "run", 10**18)
    assert not list(tmp_path.iterdir())
