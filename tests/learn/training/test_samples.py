"""What is held of a data set, and what is read again."""

from __future__ import annotations

import weakref
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tests.learn.training.tiny import samples  # noqa: E402

from microtome.core.errors import InputError, RecipeError, RunError  # noqa: E402
from microtome.learn.data.dataset import Dataset, Entry  # noqa: E402
from microtome.learn.training.cases import spread_within  # noqa: E402
from microtome.learn.training.look import look_at  # noqa: E402
from microtome.learn.training.memory import Room, bytes_of, free_memory, prepared_size, room_for_images  # noqa: E402
from microtome.learn.training.samples import Samples  # noqa: E402

ONE = 48 * 48 * (1 + 4 + 4 + 4)
"""Bytes that holding an image takes: grey of 8 bits and its labels as they are read, and both in 4 bytes as windows are cut."""


class Disk:
    """Gives samples by name, makes each anew, and knows how many of them are there."""

    def __init__(self, count=6):
        self.count, self.reads, self.gone, self.most = count, [], set(), 0
        self.alive = weakref.WeakSet()
        self.dataset = Dataset(Path("set"), "", tuple(Entry(f"image {n}", (Path(f"{n}.png"),)) for n in range(count)), "instance")

    def __call__(self, dataset, entry):
        if entry.name in self.gone:
            raise InputError(f"{entry.images[0]}: is no picture")
        self.reads.append(entry.name)
        sample = samples(self.count)[int(entry.name.split()[1])]
        self.alive.add(sample.image)
        self.most = max(self.most, len(self.alive))
        return sample


def test_all_are_held_where_there_is_just_enough_room_and_none_with_a_byte_less():
    for limit, held in ((6 * ONE, True), (6 * ONE - 1, False)):
        disk, room = Disk(), Room(limit)
        part = Samples(disk.dataset, disk, room)
        assert len(list(part.first_reading())) == 6
        assert (part.held is not None) == held
        assert room.taken == (6 * ONE if held else 0)
        assert [sample.name for sample in part] == list(part.names)
        assert len(disk.reads) == (6 if held else 12)


def test_a_look_at_what_does_not_fit_never_has_more_than_a_few_in_memory():
    disk = Disk(12)
    part = Samples(disk.dataset, disk, Room(2 * ONE))
    look = look_at(part.first_reading())
    assert look.images == 12
    assert disk.most <= 4
    assert disk.reads == list(part.names)


def test_what_is_looked_at_does_not_depend_on_what_is_held():
    looks = [look_at(Samples(disk.dataset, disk, Room(limit)).first_reading()) for disk, limit in ((Disk(), 0), (Disk(), 1 << 30))]
    assert looks[0].shares == looks[1].shares
    assert looks[0].diameters.tolist() == looks[1].diameters.tolist()


def test_what_cannot_be_read_at_first_is_left_out_and_what_cannot_be_read_later_is_an_error():
    disk = Disk()
    disk.gone = {"image 2"}
    part = Samples(disk.dataset, disk, Room(0))
    assert len(list(part.first_reading())) == len(part) == 5
    assert part.dropped == ("image 2 cannot be read: 2.png: is no picture",)
    assert "image 2" not in part.names
    disk.gone = {"image 4"}
    with pytest.raises(RunError, match=r"image 4 \(4\.png\) could be read when training began, and no more: .*--resume"):
        list(part)


def test_parts_share_the_room():
    disk, room = Disk(), Room(8 * ONE)
    first, second = (Samples(disk.dataset, disk, room) for _ in range(2))
    list(first.first_reading())
    list(second.first_reading())
    assert first.held is not None
    assert second.held is None
    assert first.reserved == 6 * prepared_size(samples(1)[0].image)
    assert second.reserved == 0
    assert room.left == 2 * ONE


def test_sizes_are_understood_or_refused():
    assert bytes_of("2 GiB") == 2 << 30
    with pytest.raises(RecipeError, match="memory: found 'much', expected a size such as 4GB"):
        room_for_images("much")


def test_a_container_that_may_have_less_than_the_machine_counts(tmp_path, monkeypatch):
    monkeypatch.setattr("microtome.learn.training.memory._GROUP", tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("700000\n")
    whole = free_memory()
    assert whole is None or whole > 1 << 20
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 200000\n")
    assert free_memory() == 500_000
    assert room_for_images().limit == 200_000


def test_a_few_of_many_are_spread_over_all_of_them():
    assert spread_within([10] * 100, 50) == (0, 20, 40, 60, 80)
    assert spread_within([1000, 1, 1, 1, 1, 1], 10) == (0,)
