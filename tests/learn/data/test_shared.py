"""Arrays in shared memory: the same on the other side, and nothing is left behind."""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from microtome.core.raster import Image, InstanceMap
from microtome.core.result import Sample
from microtome.learn.augment.example import example_of
from microtome.learn.data import kept as module
from microtome.learn.data import shared
from microtome.learn.data.kept import keep, opened
from microtome.learn.data.shared import Blocks, lay, layable, new_block, space

NUMBERS = hnp.scalar_dtypes().filter(lambda dtype: dtype.kind in "biufc")
ARRAYS = hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))


@given(st.dictionaries(st.text(max_size=3), ARRAYS, max_size=4))
def test_arrays_arrive_as_they_were(arrays):
    blocks = Blocks()
    name = blocks.new(space(arrays))
    block = SharedMemory(name)
    placed = lay(arrays, block)
    block.close()
    found = blocks.copies(name, placed)
    blocks.close()
    assert list(found) == list(arrays)
    for key, array in arrays.items():
        assert found[key].dtype == array.dtype
        assert found[key].shape == array.shape
        assert found[key].tobytes() == array.tobytes()


def test_what_is_no_number_is_not_put_there():
    assert layable({"a": np.zeros(3), "b": np.zeros(2, bool)})
    for other in (np.array([None]), np.array(["text"]), np.zeros(2, [("x", int)]), np.array(["2020"], "M8[D]")):
        assert not layable({"a": np.zeros(3), "b": other})


def gone(name):
    with pytest.raises(FileNotFoundError):
        SharedMemory(name)
    return True


def test_every_block_is_given_back():
    blocks = Blocks()
    first, second, third = (blocks.new(100) for _ in range(3))
    blocks.drop(second)
    assert gone(second)
    blocks.close()
    assert gone(first)
    assert gone(third)
    forgotten = Blocks()
    name = forgotten.new(100)
    del forgotten
    assert gone(name)


def test_a_volume_is_kept_as_it_was():
    rng = np.random.default_rng(0)
    labels = InstanceMap(rng.integers(0, 3, (4, 5, 6)).astype(np.int32), axes="zyx", object_class={1: 4, 2: 7})
    image = Image(rng.normal(size=(4, 5, 6, 2)).astype(np.float32), axes="zyxc", spacing=(3, 1, 1))
    example = example_of(Sample(image, labels, name="a"))
    blocks = Blocks()
    kept = keep(example, 1 << 20)
    blocks.adopt(kept.block)
    found = opened(kept)
    np.testing.assert_array_equal(found.image, example.image)
    np.testing.assert_array_equal(found.objects, example.objects)
    assert not found.image.flags.writeable
    for name in ("classes", "object_class", "span", "aspect", "name", "boxes"):
        assert getattr(found, name) == getattr(example, name)
    assert keep(example, kept.size - 1) is None
    del found
    shared.attached.cache_clear()
    blocks.close()
    assert gone(kept.block)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="only Linux shows what there is")
def test_without_room_there_is_no_block(monkeypatch):
    def full(handle, first, size):
        raise OSError(28, "No space left on device")

    before = set(Path("/dev/shm").iterdir())
    monkeypatch.setattr(shared.os, "posix_fallocate", full)
    assert new_block(100) is None
    assert Blocks().new(100) == ""
    assert module.keep(example_of(Sample(Image(np.zeros((4, 4))), InstanceMap(np.zeros((4, 4), np.int32)))), 1 << 20) is None
    assert {path for path in set(Path("/dev/shm").iterdir()) - before if path.name.startswith("psm_")} == set()
