"""Data sets larger than memory: images are read when their turn comes, and the result is the same."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image as Picture  # noqa: E402
from tests.learn.training.tiny import recipe, samples  # noqa: E402

from microtome.core.errors import InputError, RunError  # noqa: E402
from microtome.io.masks import write_mask  # noqa: E402
from microtome.learn.data.find import find_dataset  # noqa: E402
from microtome.learn.training.events import Chosen, Finished, Stepped, Stopped, Validated, Warned  # noqa: E402
from microtome.learn.training.train import train  # noqa: E402
from microtome.run import yaml_text  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write_set(folder, count=8):
    """Images and masks as files, by name."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    for sample in samples(count):
        write_mask(sample.truth, folder / "masks" / sample.name)
        Picture.fromarray(sample.image.pixels).save(folder / "images" / f"{sample.name}.png")
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("set"))


def run(files, out, **changes):
    return train(find_dataset(files, kind="instance"), out=out, recipe=recipe(**changes))


@pytest.fixture(scope="module")
def held(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("held")
    return out, list(run(files, out))


@pytest.fixture(scope="module")
def streamed(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("streamed")
    return out, list(run(files, out, memory=0, workers=1))


def memory_choice(events):
    return next(choice for choice in events[0].choices if choice.place == "memory")


def test_small_sets_stay_in_memory_and_large_ones_are_read_again(held, streamed):
    assert "stay in memory" in memory_choice(held[1]).reason
    assert "about 0% of them stay in memory" in memory_choice(streamed[1]).reason
    assert "as you said" in memory_choice(streamed[1]).reason


def test_the_model_is_the_same_to_the_byte(held, streamed):
    assert isinstance(held[1][-1], Finished)
    assert (held[0] / "model.zip").read_bytes() == (streamed[0] / "model.zip").read_bytes()
    one, other = ([event for event in events if isinstance(event, Validated)] for _, events in (held, streamed))
    assert [(event.score, event.loss, event.images) for event in one] == [(event.score, event.loss, event.images) for event in other]


def until_fifteen():
    steps = 0

    def stop():
        nonlocal steps
        steps += 1
        return steps == 15

    return stop


def weights_of(folder):
    from safetensors.torch import load_file

    return load_file(folder / "checkpoints" / "last.safetensors")


@pytest.mark.parametrize(("workers", "part"), [(0, "train"), (1, "train"), (0, "val")])
def test_a_file_damaged_while_training_goes_on_is_named_and_the_run_can_go_on_once_it_is_mended(tmp_path, workers, part):
    files = write_set(tmp_path / "set")
    options = {"memory": 0, "workers": workers, "budget": {"steps": 20}, "validation": {"every": 14, "pictures": 0}}
    dataset = find_dataset(files, kind="instance")
    list(train(dataset, out=tmp_path / "whole", recipe=recipe(**options), stop=until_fifteen()))
    rows = [line.split(",") for line in (tmp_path / "whole" / "split.csv").read_text().splitlines()]
    broken = [files / f"{name}.png" for name, _, own, *_ in rows if own == part]
    shutil.copytree(files / "images", tmp_path / "safe")
    events = train(dataset, out=tmp_path / "broken", recipe=recipe(**options))
    for event in events:
        if isinstance(event, Chosen):
            (tmp_path / "broken" / "train.yaml").write_text(yaml_text.dump(event.document))
        if isinstance(event, Stepped):
            break
    for path in broken:
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError, match=r"image \d\.png") as caught:
        list(events)
    assert str(files) in str(caught.value)
    shutil.copytree(tmp_path / "safe", files / "images", dirs_exist_ok=True)
    resumed = list(train(dataset, out=tmp_path / "broken", resume=True, stop=until_step(tmp_path / "broken", 15)))
    assert isinstance(resumed[-1], Stopped)
    one, other = weights_of(tmp_path / "whole"), weights_of(tmp_path / "broken")
    assert all(torch.equal(one[name], other[name]) for name in one)


def until_step(folder, last):
    from microtome.learn.training.checkpoint import load_checkpoint

    left = last - load_checkpoint(folder / "checkpoints" / "last.safetensors")[0].step

    def stop():
        nonlocal left
        left -= 1
        return left == 0

    return stop


def test_a_file_that_is_damaged_from_the_beginning_is_listed_and_left_out(tmp_path):
    files = write_set(tmp_path / "set", 10)
    (files / "images" / "image 3.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match="image 3 cannot be read"):
        list(run(files, tmp_path / "a", memory=0))
    events = train(find_dataset(files, kind="instance"), out=tmp_path / "b", recipe=recipe(memory=0, budget={"steps": 2}),
                   allow_dropped=True, stop=lambda: True)  # fmt: skip
    assert any("image 3 cannot be read" in event.message for event in events if isinstance(event, Warned))


def test_one_channel_of_files_is_chosen_as_it_is_in_memory(tmp_path):
    files = write_set(tmp_path / "set")
    for path in sorted((files / "images").glob("*.png")):
        grey = np.asarray(Picture.open(path))
        Picture.fromarray(np.stack([np.zeros_like(grey), grey, 255 - grey], -1)).save(path)
    for name, memory in (("held", None), ("streamed", 0)):
        options = {} if memory is None else {"memory": memory}
        list(train(find_dataset(files, kind="instance"), out=tmp_path / name, recipe=recipe(channel=1, **options), stop=lambda: True))
    one, other = weights_of(tmp_path / "held"), weights_of(tmp_path / "streamed")
    assert all(torch.equal(one[name], other[name]) for name in one)
