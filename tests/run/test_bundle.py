"""A bundle carries its recipe and its network anywhere, and notices when one byte of it has changed."""

import io
import sys
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.raster import Image
from microtome.run.bundle import Example, find_bundle, open_bundle, verify, write_bundle
from microtome.run.bundle_file import read_member, sha256
from microtome.run.pipeline import run, segment
from microtome.run.recipe import Recipe
from microtome.run.test_time import in_all_views

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


def test_an_example_is_replayed_with_its_spacing_and_without_what_files_are_read_by(tmp_path):
    document = {**DOCUMENT, "input": {"channel": "6E10"}}
    document["steps"] = [*DOCUMENT["steps"], {"split_touching": {"min_distance": "5 um"}}]
    image = Image(squares().pixels, spacing=(0.5, 0.5), unit="um")
    plain = {**document, "input": {}}
    first = write_bundle(tmp_path / "first.zip", plain, {"main": brightness_network()}, card="Squares.", facts={})
    example = Example(image, segment(image, open_bundle(first).recipe).mask)
    path = write_bundle(tmp_path / "b.zip", document, {"main": brightness_network()}, card="Squares.", facts={}, example=example)
    assert verify(path).agreement == 1
    assert open_bundle(path).recipe.input.channel == "6E10"  # a name, not a number


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


def test_a_byte_changed_anywhere_in_the_zip_is_an_error_or_changes_nothing(bundle, tmp_path):
    """Times and the like in a zip mean nothing; every other byte does, packed data above all, and is told in words."""
    whole, errors = bundle.read_bytes(), 0
    for place in range(0, len(whole), 11):
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        bundle.write_bytes(data)
        try:
            assert verify(bundle).sound
        except (InputError, RecipeError):
            errors += 1
    assert errors > 80


def test_members_that_are_there_twice_are_refused(bundle):
    with zipfile.ZipFile(bundle, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("recipe.yaml", "microtome: 1\nsteps: [otsu]\n")
    with pytest.raises(InputError, match=r"holds recipe\.yaml more than once"):
        open_bundle(bundle)


def test_links_cannot_lead_out_of_a_folder(bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "folder")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "folder" / "card.md").unlink()
    (tmp_path / "folder" / "card.md").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="is a link that leads out of the bundle"):
        open_bundle(tmp_path / "folder")


def test_a_member_said_to_be_huge_is_not_unpacked(bundle, monkeypatch):
    monkeypatch.setattr("microtome.run.bundle_file.LARGEST", 100)
    with pytest.raises(InputError, match="this member of a bundle has at most 100"):
        verify(bundle)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_packed_so_that_it_unpacks_without_end_is_refused(bundle, tmp_path, packing):
    path = tmp_path / "packed.zip"
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(path, "w", packing) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(InputError, match=r"packed\.zip: .* is packed in a way that is not read"):
        open_bundle(path)


def test_a_member_is_not_unpacked_past_the_size_it_states(tmp_path):
    path = tmp_path / "small.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.md", bytes(50 << 20))
    data = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + place
        data[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    tracemalloc.start()
    with suppress(InputError):
        read_member(path, "card.md", most=100)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_changed_network_does_not_run(bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "folder")
    (tmp_path / "folder" / "networks" / "main.onnx").write_bytes(brightness_network(low=10.0))
    with pytest.raises(InputError, match="has changed since its bundle was made"):
        segment(squares(), open_bundle(tmp_path / "folder").recipe)


@pytest.mark.parametrize("name", ["../outside", "networks/../../outside", "/etc/outside", "C:/outside", "..\\outside"])
def test_members_cannot_lead_out_of_it(bundle, tmp_path, name):
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr(name, b"x")
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


def ensemble(path, **more):
    document = {"microtome": 1, "steps": [{"network": {"weights": ["low", "high"], "layers": ["a", "b", "c"], "window": 64}}, "classes"]}
    networks = {"low": brightness_network(low=40, high=60), "high": brightness_network(low=140, high=160)}
    return write_bundle(path, document, networks, card="Two.", facts={}, **more)


def test_several_networks_are_one_ensemble(tmp_path):
    bundle = ensemble(tmp_path / "two.zip")
    settings = open_bundle(bundle).recipe.steps[0].settings
    assert [Path(place).name for place in settings["weights"]] == ["low.onnx", "high.onnx"]
    assert len(set(settings["sha256"])) == 2
    pixels = np.array([[0, 100, 255]], np.uint8)
    assert segment(pixels, open_bundle(bundle).recipe, engine="onnxruntime").mask.pixels[0, [0, 2]].tolist() == [0, 1]


def test_networks_weights_and_accounts_go_by_the_same_names(tmp_path):
    told = {"network": "unet", "channels_in": 1, "outputs": {"classes": 3}, "settings": {}}
    bundle = ensemble(tmp_path / "a.zip", weights={"low": b"1", "high": b"2"}, architectures={"low": told, "high": told})
    with zipfile.ZipFile(bundle) as archive:
        assert {"networks/low.json", "networks/high.json", "networks/low.safetensors", "networks/high.safetensors"} <= set(
            archive.namelist()
        )
    with pytest.raises(RecipeError, match="2 networks have weights each"):
        ensemble(tmp_path / "b.zip", weights=b"1")
    with pytest.raises(RecipeError, match="found middle"):
        ensemble(tmp_path / "b.zip", architectures={"middle": told})
    with pytest.raises(RecipeError, match="names the network 'main', which is not among those given"):
        write_bundle(tmp_path / "b.zip", DOCUMENT, {"other": brightness_network()}, card="", facts={})


def test_scores_and_how_sure_each_pixel_is_are_saved(bundle, tmp_path):
    from microtome.io.images import read

    list(run(open_bundle(bundle).recipe, [squares()], out=tmp_path / "out", extras=["scores"], engine="onnxruntime"))
    scores, sure = (read(tmp_path / "out" / "scores" / name) for name in ("image 1.tif", "image 1.confidence.tif"))
    assert (scores.axes, scores.shape, scores.channels) == ("yxc", (60, 80), ("background", "interior", "border"))
    np.testing.assert_allclose(scores.pixels.sum(-1), 1, atol=1e-5)
    np.testing.assert_array_equal(sure.pixels, scores.pixels.max(-1))
    assert scores.pixels[0, 0, 0] > 0.9


def test_a_recipe_without_scores_says_that_it_has_none(tmp_path):
    said = [event.message for event in run("coins", [squares()], out=tmp_path / "out", extras=["scores"]) if hasattr(event, "message")]
    assert "--save scores: no step of this recipe gives scores; it was left out" in said
    assert not (tmp_path / "out" / "scores").exists()


def test_in_all_views_the_mean_of_what_is_seen_counts(bundle):
    recipe = find_bundle(bundle).recipe
    plain, turned = segment(squares(), recipe).mask, segment(squares(), in_all_views(recipe)).mask
    assert np.array_equal(plain.pixels > 0, turned.pixels > 0)  # a network of single pixels sees the same from every side
    with pytest.raises(RecipeError, match="has none"):
        in_all_views(Recipe.of("otsu"))


def rewritten(bundle, members):
    """The bundle with some members exchanged and its sums made anew, as a hostile hand would."""
    with zipfile.ZipFile(bundle) as archive:
        held = {name: archive.read(name) for name in archive.namelist() if name != "sha256sums"}
    held |= members
    held["sha256sums"] = "".join(f"{sha256(data)}  {name}\n" for name, data in held.items()).encode()
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return bundle


@pytest.mark.parametrize("weights", ["{a: b}", "[[a]]", "3", "[networks/main.onnx, 5]", "../../etc/passwd"])
def test_a_recipe_that_names_its_network_strangely_is_refused(bundle, weights):
    recipe = f"microtome: 1\nsteps: [{{network: {{weights: {weights}}}}}, classes]\n"
    with pytest.raises(InputError, match="which is not in the bundle"):
        open_bundle(rewritten(bundle, {"recipe.yaml": recipe.encode()}))


@pytest.mark.parametrize("steps", ["5", "{network: {}}", "null", "[[network]]"])
def test_steps_that_are_none_are_refused(bundle, steps):
    with pytest.raises(RecipeError, match="steps"):
        open_bundle(rewritten(bundle, {"recipe.yaml": f"microtome: 1\nsteps: {steps}\n".encode()}))


@pytest.mark.parametrize("tolerance", ["high", ".nan", "-1", "[1]", "7"])
def test_a_tolerance_that_is_no_share_is_refused(bundle, tolerance):
    """Not a number would be less than nothing, and every example sound."""
    with pytest.raises(InputError, match="tolerance is a share"):
        verify(rewritten(bundle, {"card.md": f"---\ntolerance: {tolerance}\n---\nx".encode()}))


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npy_that_promises(shape):
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode()


def npz(array):
    buffer = io.BytesIO()
    np.savez(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (npy(np.zeros(5)), "is no image of axes"),
        (npy(np.zeros((2, 2, 2, 2, 2))), "is no image of axes"),
        (npy_that_promises((1 << 20, 1 << 24)), "is damaged"),
        (npz(np.zeros((5, 5))), "is damaged"),
        (b"text", "is damaged"),
    ],
)
def test_an_example_that_is_no_image_is_named(bundle, image, message):
    with pytest.raises(InputError, match=rf"example/image\.npy.* {message}"):
        verify(rewritten(bundle, {"example/image.npy": image}))


def test_a_card_as_long_as_a_library_is_not_read(bundle):
    with pytest.raises(InputError, match="this member of a bundle has at most"):
        open_bundle(rewritten(bundle, {"card.md": b"a" * ((1 << 24) + 1)}))
