"""Objects through shared memory: the same, writable, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from microtome.learn.data import shared
from microtome.learn.data.shared import discard, pack, unpack


def test_large_arrays_arrive_whole_and_writable():
    thing = {"a": np.arange(1 << 18).reshape(4, -1), "b": [np.ones((600, 700), np.float32)], "c": "text", "d": np.zeros(3)}
    parcel = pack(thing)
    if Path("/dev/shm").is_dir():
        assert parcel.name
        assert len(parcel.pickled) < 4000
    found = unpack(parcel)
    np.testing.assert_equal(found, thing)
    found["a"][0, 0] = 5
    assert thing["a"][0, 0] == 0


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no shared memory to look at")
def test_memory_is_given_back():
    parcel = pack(np.zeros(1 << 20))
    place = Path("/dev/shm") / parcel.name.lstrip("/")
    assert place.exists()
    unpack(parcel)
    assert not place.exists()
    parcel = pack(np.zeros(1 << 20))
    discard(parcel)
    assert not (Path("/dev/shm") / parcel.name.lstrip("/")).exists()


def test_without_room_the_pipe_is_taken(monkeypatch):
    monkeypatch.setattr(shared, "_room_for", lambda size: False)
    parcel = pack(np.arange(1 << 20))
    assert not parcel.name
    np.testing.assert_array_equal(unpack(parcel), np.arange(1 << 20))
    discard(parcel)
