"""A bundle carries its recipe and its network anywhere, and notices when one byte of it has changed."""

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.raster import Image
from microtome.run.bundle import Example, find_bundle, open_bundle, verify, write_bundle
from microtome.run.pipeline import run, segment

sys.path.insert(0, str(Path(__file__).parent))
from networks import brightness_network

DOCUMENT = {
    "microtome": 1,
    "about": "Bright squares",
    "steps": [
        {"network": {"weights": "main", "layers": ["background", "interior", "border"], "window": 64}},
        {"interior_border": {"interior": 0.6}},
    ],
    "measure": ["area"],
}


def squares():
    pixels = np.zeros((60, 80), np.uint8)
    pixels[5:25, 5:25], pixels[30:50, 40:70] = 200, 180
    return Image(pixels)


@pytest.fixture
def bundle(tmp_path):
    networks = {"main": brightness_network()}
    first = write_bundle(tmp_path / "first.zip", DOCUMENT, networks, card="Squares.", facts={})
    example = Example(squares(), segment(squares(), open_bundle(first).recipe).mask)
    return write_bundle(tmp_path / "squares.zip", DOCUMENT, networks, card="Squares.", facts={"tolerance": 0.99}, example=example)


def test_it_segments_from_anywhere_and_in_workers(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = find_bundle("squares.zip").recipe
    monkeypatch.chdir("/")
    result = segment(squares(), recipe)
    assert result.objects["area_px"].tolist() == [400, 600]
    done = [event for event in run(recipe, [squares()] * 3, executor="processes", workers=2) if hasattr(event, "result")]
    assert [len(event.result.mask) for event in done] == [2, 2, 2]


def test_it_verifies_as_a_zip_and_as_a_folder(bundle, tmp_path):
    verdict = verify(bundle)
    assert verdict.sound
    assert verdict.agreement == 1
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "folder")
    assert verify(tmp_path / "folder").sound
    assert open_bundle(tmp_path / "folder").card.strip() == "Squares."


def test_the_same_contents_are_the_same_bytes(bundle, tmp_path):
    again = write_bundle(tmp_path / "b.zip", DOCUMENT, {"main": brightness_network()}, card="Squares.", facts={})
    assert again.read_bytes() == (tmp_path / "first.zip").read_bytes()


@pytest.mark.parametrize("member", ["networks/main.onnx", "recipe.yaml", "card.md", "example/mask.npy"])
def test_one_byte_changed_is_noticed(bundle, tmp_path, member):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "folder")
    data = bytearray((tmp_path / "folder" / member).read_bytes())
    data[-1] ^= 1
    (tmp_path / "folder" / member).write_bytes(data)
    with pytest.raises((InputError, RecipeError)):
        verify(tmp_path / "folder")


def test_a_changed_network_does_not_run(bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "folder")
    (tmp_path / "folder" / "networks" / "main.onnx").write_bytes(brightness_network(low=10.0))
    with pytest.raises(InputError, match="has changed since its bundle was made"):
        segment(squares(), open_bundle(tmp_path / "folder").recipe)


def test_members_cannot_lead_out_of_it(bundle, tmp_path):
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("../outside", b"x")
    with pytest.raises(InputError, match="leads out of the bundle"):
        open_bundle(bundle)


def test_strange_and_missing_members_are_named(bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "folder")
    (tmp_path / "folder" / "more.txt").write_text("?")
    with pytest.raises(InputError, match=r"more\.txt is missing or not in sha256sums"):
        verify(tmp_path / "folder")
    (tmp_path / "folder" / "networks" / "main.onnx").unlink()
    with pytest.raises(InputError, match=r"names the network 'networks/main\.onnx', which is not in the bundle"):
        open_bundle(tmp_path / "folder")


def test_what_is_no_bundle_is_named(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match="cannot be read as a bundle"):
        open_bundle(tmp_path / "a.zip")
    with pytest.raises(RecipeError, match="no model 'nuclie'"):
        find_bundle("nuclie")
