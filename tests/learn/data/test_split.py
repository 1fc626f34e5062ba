"""Splits and folds keep groups together, and come back from files as they were."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import collect_warnings
from microtome.learn.data.dataset import Dataset, Entry
from microtome.learn.data.find import find_dataset
from microtome.learn.data.split import folds, keep_split, read_split, save_split, split


def made(groups, root="data"):
    """A data set with an image for each group named."""
    return Dataset(Path(root), "", tuple(Entry(f"{k:03}", (Path(f"{k}.png"),), group=group) for k, group in enumerate(groups)), "instance")


GROUPS = st.lists(st.integers(0, 12).map(lambda k: f"g{k}" if k else ""), min_size=6, max_size=60).filter(
    lambda groups: len({*groups} - {""}) + groups.count("") >= 4
)


@given(GROUPS, st.integers(0, 5))
def test_no_group_is_torn_and_no_split_is_empty(groups, seed):
    with collect_warnings():
        parts = split(made(groups), {"train": 0.6, "val": 0.2, "test": 0.2}, seed=seed)
    assert parts.splits == ("train", "val", "test")
    of = {}
    for group, entry in zip(parts.groups(), parts, strict=True):
        assert of.setdefault(group, entry.split) == entry.split


@given(GROUPS, st.integers(2, 4))
def test_folds_hold_each_image_out_once_and_are_level(groups, k):
    dataset = made(groups)
    parts = folds(dataset, k)
    assert sorted(entry.name for _, held in parts for entry in held) == [entry.name for entry in dataset]
    for train, held in parts:
        assert len(train) + len(held) == len(dataset)
        assert not {*train.groups()} & {*held.groups()}
    sizes = sorted(len(held) for _, held in parts)
    assert sizes[-1] - sizes[0] <= max(Counter(dataset.groups()).values())


def test_sizes_are_those_asked_for_where_groups_allow():
    parts = split(made([""] * 50), {"train": 7, "val": 2, "test": 1})
    assert {name: len(parts.part(name)) for name in parts.splits} == {"train": 35, "val": 10, "test": 5}


def test_the_order_of_images_does_not_matter_and_the_seed_does():
    groups = [f"g{k % 15}" for k in range(60)]
    mixed = random.Random(0).sample(groups, len(groups))
    of = {entry.group: entry.split for entry in split(made(groups))}
    assert of == {entry.group: entry.split for entry in split(made(mixed))}
    assert of != {entry.group: entry.split for entry in split(made(groups), seed=1)}


def test_what_cannot_be_divided_as_asked_is_told():
    with collect_warnings() as said:
        split(made(["big"] * 30 + ["a", "b"]))
    assert "3 groups do not divide as asked" in said[0]
    with pytest.raises(InputError, match="1 groups cannot fill 2 splits"):
        split(made(["one"] * 9))
    with pytest.raises(InputError, match="2 groups cannot make 3 folds"):
        folds(made(["a", "b"] * 3), 3)


def test_bad_shares_are_refused():
    for shares in ({"train": 1.0, "val": 0.0}, {"train": float("nan")}, {}):
        with pytest.raises(RecipeError, match="share above zero"):
            split(made(["a", "b"]), shares)


def test_splits_it_came_with_are_replaced_and_told():
    with collect_warnings() as said:
        split(split(made([""] * 10)))
    assert "(train, val) are replaced" in said[0]


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_a_stored_split_wins_and_new_groups_are_dealt(tmp_path, suffix):
    path = tmp_path / f"splits{suffix}"
    first = keep_split(made([f"g{k % 20}" for k in range(40)]), path, {"train": 0.5, "val": 0.5}, seed=3)
    stored = {entry.name: entry.split for entry in first}
    more = made([f"g{k % 20}" for k in range(40)] + ["g3", "g3", "new 1", "new 2"])
    with collect_warnings() as said:
        again = keep_split(more.only(more.entries[1:]), path)
    assert {entry.name: entry.split for entry in again if entry.name in stored} == {k: v for k, v in stored.items() if k != "000"}
    assert {entry.split for entry in again.entries[-4:-2]} == {next(entry.split for entry in first if entry.group == "g3")}
    assert {entry.split for entry in again.entries[-2:]} == {"train", "val"} or len({*stored.values()}) == 2
    assert all(entry.split for entry in again)
    assert "4 images are not in it" in said[0]
    assert "2 went with their group, 2 were dealt" in said[0]
    assert "1 images it names are not in data (000)" in said[1]


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_given_splits_come_back_as_they_were(tmp_path, suffix):
    entries = [Entry('a, "b"\nc', (Path("a"),), group="ü", split="train"), Entry("d", (Path("d"),), split="test")]
    dataset = made([]).only(entries)
    save_split(dataset, tmp_path / f"s{suffix}")
    bare = dataset.only([Entry(entry.name, entry.images) for entry in entries])
    again = read_split(bare, tmp_path / f"s{suffix}")
    assert [(entry.name, entry.group, entry.split) for entry in again] == [(entry.name, entry.group, entry.split) for entry in entries]


def test_the_same_split_gives_the_same_bytes(tmp_path):
    for name in ("a.json", "b.json"):
        keep_split(made(["g1", "g2", "g3", "g4", "g5"]), tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("s.json", "[]", "no splits of ours"),
        ("s.json", '{"microtome": "split", "entries": [{"name": "a"}]}', "entry 1 has no name, group and split"),
        ("s.csv", "name,group,split\na,,train\na,,val\n", "'a' is there twice"),
        ("s.csv", "file,what\na,b\n", "entry 1 has no name"),
        ("s.csv", "name,group,split,seed\na,,train,x\n", "seed or shares are damaged"),
    ],
)
def test_damaged_files_are_refused(tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=told):
        read_split(made(["a"]), tmp_path / name)


def test_a_file_of_splits_in_the_data_folder_is_used(folder):
    folder.picture(*(f"images/{k}.png" for k in range(5)))
    folder.mask(*(f"masks/{k}.png" for k in range(5)))
    stored = keep_split(find_dataset(folder.root, kind="instance"), folder.root / "splits.json")
    again = find_dataset(folder.root, kind="instance")
    assert [entry.split for entry in again] == [entry.split for entry in stored]
    assert again.splits == ("train", "val")


def test_lists_of_names_are_splits(folder):
    folder.picture("images/a.png", "images/b.png", "images/c d.png", "images/e.png")
    folder.mask("masks/a.png", "masks/b.png", "masks/c d.png", "masks/e.png")
    folder.text("splits/train.txt", "a\nimages/b.png\n\nzz\n")
    folder.text("splits/val.txt", "c d.png\nb 1\n")
    with collect_warnings() as said:
        dataset = find_dataset(folder.root, kind="instance")
    assert [(entry.name, entry.split) for entry in dataset] == [
        ("images/a", "train"),
        ("images/b", "train"),
        ("images/c d", "val"),
        ("images/e", ""),
    ]
    assert [message.split("splits/val.txt: ")[1].split(" (")[0] for message in said] == [
        "1 names are of no image, or of several",
        "1 images are in two lists",
        "1 of 4 images are in none of these lists and have no split",
    ]


@given(GROUPS, st.lists(st.integers(0, 15), max_size=20), st.integers(0, 3))
def test_images_that_come_later_tear_no_group(tmp_path_factory, groups, later, seed):
    path = tmp_path_factory.mktemp("splits") / "splits.json"
    with collect_warnings():
        first = keep_split(made(groups), path, {"train": 0.6, "val": 0.2, "test": 0.2}, seed=seed)
        again = keep_split(made([*groups, *(f"g{k}" for k in later)]), path)
    assert [entry.split for entry in again][: len(groups)] == [entry.split for entry in first]
    of = {}
    for group, entry in zip(again.groups(), again, strict=True):
        assert of.setdefault(group, entry.split) == entry.split != ""


def test_a_stored_split_that_tears_groups_named_since_is_told(tmp_path):
    save_split(split(made([""] * 12)), tmp_path / "splits.json")
    with collect_warnings() as said:
        read_split(made(["patient"] * 12), tmp_path / "splits.json")
    assert "tears 1 groups apart (patient)" in said[0]


def test_lists_divide_what_is_labelled_beside_a_folder_without_labels(folder):
    folder.picture("images/a.png", "images/b.png", "test/c.png")
    folder.mask("masks/a.png", "masks/b.png")
    folder.text("splits/train.txt", "a\n")
    folder.text("splits/val.txt", "b\n")
    dataset = find_dataset(folder.root, kind="instance")
    assert [(entry.name, entry.split) for entry in dataset] == [("images/a", "train"), ("images/b", "val"), ("test/c", "test")]
