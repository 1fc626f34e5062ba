"""Values counted by hand, the levels behind smoothed ones, and raw files of every kind."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.masks import write_mask
from microtome.learn.data.doctor.colours import to_ids
from microtome.learn.data.doctor.facts import label_facts
from microtome.learn.data.doctor.levels import main_colours, main_values, nearest
from microtome.learn.data.doctor.raw import read_raw
from microtome.learn.data.doctor.values import colours_of, values_of


@given(arrays(np.int32, (5, 7), elements=st.sampled_from([-3, 0, 1, 7, 70_000, 40_000_000])))
def test_counts_are_numpys(pixels: np.ndarray) -> None:
    found = values_of(pixels)
    value, counts = np.unique(pixels, return_counts=True)
    assert found.value.tolist() == value.tolist()
    assert found.counts.tolist() == counts.tolist()
    assert all(pixels[found.place(v)] == v for v in value.tolist())


def test_solid_and_between_by_hand() -> None:
    pixels = np.zeros((7, 9), np.uint8)
    pixels[:, 4:], pixels[:, 3] = 200, 90  # 90 lies between, all along
    found = values_of(pixels)
    assert found.value.tolist() == [0, 90, 200]
    assert found.solid.tolist() == [2 * 7, 0, 4 * 7]  # columns 0, 1 and 5 to 8; beyond the edge counts as alike
    assert found.between.tolist() == [0, 7, 0]


def test_pieces_touching_and_pinholes_by_hand() -> None:
    labels = np.array([[1, 1, 2, 2, 0], [1, 0, 1, 2, 0], [1, 1, 1, 2, 0], [0, 0, 0, 0, 0], [7, 0, 0, 0, 1]])
    facts = label_facts(labels, None)
    assert facts.counts == {0: 12, 1: 8, 2: 4, 7: 1}
    assert [facts.parts.of(1).area.tolist(), facts.parts.of(2).area.tolist()] == [[7, 1], [4]]
    assert facts.parts.of(1).place.tolist() == [[0, 0], [4, 4]]
    assert facts.touching == 2
    assert facts.pinholes == ((1, 1),)


@pytest.mark.parametrize("levels", [(0, 255), (0, 128, 255), (0, 80, 160, 240)])
def test_levels_are_found_behind_jpeg_and_smoothing(levels: tuple[int, ...]) -> None:
    y, x = np.mgrid[:160, :200]
    drawn = np.array(levels, np.uint8)[((x // 40) + (y // 50)) % len(levels)]
    file = io.BytesIO()
    PIL.Image.fromarray(drawn).save(file, "JPEG", quality=80)
    soft = np.array(
        PIL.Image.fromarray(drawn).resize((100, 80), PIL.Image.Resampling.BILINEAR).resize((200, 160), PIL.Image.Resampling.BILINEAR)
    )
    for changed in (np.array(PIL.Image.open(file)), soft):
        found = main_values(values_of(changed))
        assert found == pytest.approx(levels, abs=2)
        assert np.mean(nearest(changed, found) != nearest(drawn, found)) < 0.05


def test_a_photograph_has_no_levels(astronaut: np.ndarray, coins: np.ndarray) -> None:
    assert main_values(values_of(astronaut[..., 0])) == ()
    assert main_values(values_of(coins)) == ()


def test_colours_of_areas_not_of_borders() -> None:
    drawn = np.zeros((60, 60, 3), np.uint8)
    drawn[20:40, 20:40] = (250, 10, 10)
    soft = np.array(PIL.Image.fromarray(drawn).resize((90, 90), PIL.Image.Resampling.BILINEAR))
    assert main_colours(colours_of(soft)) == (0x000000, 0xFA0A0A)


def test_colours_that_a_list_names() -> None:
    pixels = np.array([[[1, 2, 3], [9, 9, 9]]], np.uint8)
    assert to_ids(pixels, {(9, 9, 9): 4, (1, 2, 3): 8}).tolist() == [[8, 4]]
    assert to_ids(pixels, {(9, 9, 9): 4}) is None
    assert to_ids(pixels, {}) is None


def test_raw_files_of_every_kind(tmp_path: Path) -> None:
    values = np.array([[0, 1, 2], [3, 200, 5]], np.uint8)
    picture = PIL.Image.fromarray(values)
    cases = {"a.png": ("png", "grey"), "a.bmp": ("bmp", "grey"), "a.tif": ("tiff", "grey"), "a.npy": ("npy", "grey")}
    for name, (form, mode) in cases.items():
        path = tmp_path / name
        np.save(path, values) if form == "npy" else picture.save(path)
        raw = read_raw(path)
        assert (raw.format, raw.mode, raw.pixels.tolist()) == (form, mode, values.tolist())
    coloured = PIL.Image.fromarray(np.where(values == 200, 4, values).astype(np.uint8)).convert("P")
    coloured.save(tmp_path / "p.gif")
    assert read_raw(tmp_path / "p.gif").mode == "palette"
    PIL.Image.merge("LA", (picture, picture)).save(tmp_path / "la.png")
    raw = read_raw(tmp_path / "la.png")
    assert raw.alpha is not None
    assert raw.alpha.tolist() == values.tolist()
    PIL.Image.merge("RGB", (picture, picture, picture)).save(tmp_path / "grey.png")
    assert read_raw(tmp_path / "grey.png").mode == "grey"
    PIL.Image.new("1", (3, 2), 1).save(tmp_path / "bit.png")
    assert read_raw(tmp_path / "bit.png").pixels.max() == 1


def test_our_own_masks_are_taken_at_their_word(tmp_path: Path) -> None:
    ids = np.array([[0, 300], [70_000, 4]])
    raw = read_raw(write_mask(InstanceMap(ids, spacing=(0.5, 0.5), unit="um"), tmp_path / "objects"))
    assert (raw.noted, raw.pixels.tolist(), raw.spacing) == (True, ids.tolist(), (0.5, 0.5))
    raw = read_raw(write_mask(InstanceMap(ids), tmp_path / "colours", form="colour"))
    assert (raw.mode, raw.pixels.tolist()) == ("grey", ids.tolist())
    assert read_raw(write_mask(SemanticMap(np.eye(3, dtype=int), classes=ClassTable.binary()), tmp_path / "classes")).mode == "grey"


def test_spacing_of_a_tiff(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.eye(4, dtype=np.uint8), imagej=True, resolution=(4, 4), metadata={"unit": "um"})
    assert read_raw(tmp_path / "a.tif").spacing == pytest.approx((0.25, 0.25))


@pytest.mark.parametrize(("data", "words"), [(b"", "empty"), (b"\x89PNG\r\n\x1a\n", "header"), (b"hello", "looks like text")])
def test_what_is_no_picture(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match=words):
        read_raw(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.png", "p.gif", "a.jpg", "a.tif", "a.npy", "a.bmp"])
def test_damaged_files_are_named_never_a_crash(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(0)
    labels = np.zeros((20, 30), np.uint8)
    labels[4:9, 5:20] = 80
    path = tmp_path / name
    np.save(path, labels) if name.endswith("npy") else PIL.Image.fromarray(labels).save(path)
    whole = path.read_bytes()
    for number in range(60):
        data = bytearray(whole)
        data[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(bytes(data[: rng.integers(1, len(data))] if number % 3 == 0 else data))
        with contextlib.suppress(InputError):
            assert read_raw(path).pixels.size
