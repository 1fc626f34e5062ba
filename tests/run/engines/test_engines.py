"""Engines answer alike: the same network in each, on any number of threads and windows at once; and the choice is kept with the run."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from microtome.core.errors import InputError, MissingExtra, RecipeError
from microtome.core.kernels.bands import set_threads, threads
from microtome.core.raster import Image
from microtome.run.bundle import open_bundle, verify, write_bundle
from microtome.run.engines import choose
from microtome.run.pipeline import run, segment
from microtome.run.recipe import Recipe

sys.path.insert(0, str(Path(__file__).parents[1]))
from networks import brightness_network

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="the extra `deep` is not installed")
needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="the extra `fast` is not installed")
ENGINES = ["onnxruntime", pytest.param("openvino", marks=needs_openvino), pytest.param("torch", marks=needs_torch)]
ARCHITECTURE = {"network": "unet", "channels_in": 1, "outputs": {"classes": 3}, "settings": {"depth": 3, "root": 8}}
STEPS = [{"network": {"weights": "main", "layers": ["a", "b", "c"], "window": 64, "overlap": 16}}, "classes"]


@pytest.fixture(scope="module")
def unet(tmp_path_factory):
    """A bundle with a small U-Net, all that torch needs of it beside."""
    pytest.importorskip("torch")
    from microtome.networks import build
    from microtome.networks.export import to_onnx
    from microtome.networks.weights import dump_weights

    settings = ARCHITECTURE["settings"]
    network = build("unet", channels_in=1, outputs={"classes": 3}, seed=3, **settings)
    return write_bundle(
        tmp_path_factory.mktemp("unet") / "unet.zip", {"microtome": 1, "steps": STEPS}, {"main": to_onnx(network)}, card="x", facts={},
        weights=dump_weights(network), architectures={"main": ARCHITECTURE},
    )  # fmt: skip


@pytest.fixture
def bright(tmp_path):
    steps = [{"network": {"weights": "main", "layers": ["a", "b", "c"], "window": 64}}, "classes"]
    return write_bundle(tmp_path / "bright.zip", {"microtome": 1, "steps": steps}, {"main": brightness_network()}, card="x", facts={})


def windows(count=3, side=48):
    return np.random.default_rng(0).random((count, side, side, 1), np.float32)


def opened(bundle, engine, precision="float32"):
    place = open_bundle(bundle).recipe.steps[0].settings["weights"]
    with zipfile.ZipFile(bundle) as archive:
        data = archive.read("networks/main.onnx")
    return choose.engine(engine).open_network(data, place, precision)


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_answers_as_the_others(unet, engine):
    expected = opened(unet, "onnxruntime")(windows())["classes"]
    found = opened(unet, engine)(windows())["classes"]
    assert (found.shape, found.dtype) == ((3, 48, 48, 3), np.float32)
    np.testing.assert_allclose(found, expected, atol=1e-4 * abs(expected).max())


@pytest.mark.parametrize("engine", [p for p in ENGINES if p != "onnxruntime"])
def test_bfloat16_is_near(unet, engine):
    expected = opened(unet, "onnxruntime")(windows())["classes"]
    found = opened(unet, engine, "bfloat16")(windows())["classes"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.05 * abs(expected).max())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("engine", ENGINES)
def test_threads_and_windows_at_once_do_not_matter(unet, engine, precision):
    if (engine, precision) == ("onnxruntime", "bfloat16"):
        with pytest.raises(RecipeError, match="computes in float32"):
            opened(unet, engine, precision)
        return
    before, found = threads(), []
    try:
        for count in (1, 3):
            set_threads(count)
            network = opened(unet, engine, precision)
            found += [network(windows())["classes"], np.concatenate([network(one[None])["classes"] for one in windows()])]
    finally:
        set_threads(before)
    assert len({np.ascontiguousarray(one).tobytes() for one in found}) == 1


@needs_torch
def test_torch_leaves_its_threads_and_the_windows_as_they_were(unet):
    import torch

    count, given = torch.get_num_threads(), windows()
    kept = given.copy()
    opened(unet, "torch")(given)
    assert torch.get_num_threads() == count
    np.testing.assert_array_equal(given, kept)


@pytest.mark.parametrize("engine", ENGINES)
def test_one_window_size_after_another(unet, engine):
    network = opened(unet, engine)
    assert [network(windows(1, side))["classes"].shape for side in (40, 56, 40)] == [(1, 40, 40, 3), (1, 56, 56, 3), (1, 40, 40, 3)]


def test_not_every_window_size_that_was_met_stays_compiled(unet):
    pytest.importorskip("openvino")
    network = opened(unet, "openvino")
    first = network(windows(1, 16))["classes"]
    for side in range(24, 24 + 8 * 20, 8):
        network(windows(1, side))
    assert len(network.requests) == 8
    np.testing.assert_array_equal(network(windows(1, 16))["classes"], first)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_run_says_what_computed_it_and_can_be_done_again(unet, engine, tmp_path):
    pixels = np.random.default_rng(1).random((70, 90), np.float32)
    recipe = open_bundle(unet).recipe
    for event in run(recipe, [Image(pixels)], out=tmp_path / "out", engine=f"{engine}:float32" if engine != "onnxruntime" else engine):
        assert not hasattr(event, "error"), event
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (record["engine"]["name"], record["engine"]["precision"]) == (engine, "float32")
    assert record["engine"]["version"]
    assert record["engine"]["processor"]["name"]
    again = Recipe.from_document(record["recipe"])
    assert again.steps[0].settings["engine"] == engine
    first, second = segment(pixels, recipe, engine=f"{engine}:float32" if engine != "onnxruntime" else engine), segment(pixels, again)
    assert first.mask.pixels.tobytes() == second.mask.pixels.tobytes()


@needs_openvino
def test_nothing_that_reports_usage_is_imported(bright):
    code = (
        "import sys; from microtome.run.bundle import open_bundle; from microtome.run.pipeline import segment; import numpy as np;"
        f"segment(np.zeros((9, 9), np.uint8), open_bundle({str(bright)!r}).recipe, engine='openvino');"
        "print('openvino' in sys.modules, [name for name in sys.modules if name.startswith('openvino_telemetry')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True []\n"


@needs_openvino
def test_workers_compute_as_the_coordinator_chose(unet):
    images = [Image(np.random.default_rng(k).random((70, 90), np.float32)) for k in range(3)]
    recipe = open_bundle(unet).recipe
    masks = [
        [event.result.mask.pixels.tobytes() for event in run(recipe, images, executor=executor, workers=2, engine="openvino")
         if hasattr(event, "result")]
        for executor in ("serial", "processes")
    ]  # fmt: skip
    assert len(masks[0]) == 3
    assert sorted(masks[0]) == sorted(masks[1])


def test_the_fastest_is_measured_and_told(unet):
    recipe, choice = choose.settle(open_bundle(unet).recipe, "fastest")
    assert "onnxruntime float32" in choice.measured
    assert ("torch float32" in choice.measured) == (find_spec("torch") is not None)
    assert min(choice.measured, key=choice.measured.get) == f"{choice.engine} {choice.precision}"
    assert recipe.steps[0].settings["engine"] == choice.engine


def test_by_default_what_is_installed_and_what_the_processor_has(monkeypatch):
    for there, flags, expected in [
        ((), ("avx2", "avx512_bf16"), ("onnxruntime", "float32")),
        (("openvino",), ("avx2",), ("openvino", "float32")),
        (("openvino", "torch"), ("avx2", "avx512_bf16"), ("openvino", "bfloat16")),
        (("torch",), ("avx2", "amx_bf16"), ("onnxruntime", "float32")),
    ]:
        monkeypatch.setattr(choose, "find_spec", lambda name, there=there: name if name in (*there, "onnxruntime") else None)
        monkeypatch.setattr(choose, "processor", lambda flags=flags: {"name": "", "features": list(flags)})
        choice = choose.choose()
        assert (choice.engine, choice.precision) == expected
    assert choose.choose("torch").precision == "bfloat16"
    assert choose.choose("torch:float32").precision == "float32"
    monkeypatch.setattr(choose, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'microtome\[fast\]'"):
        choose.choose("openvino")


def test_what_the_recipe_pins_stays_unless_asked_otherwise(bright):
    recipe = open_bundle(bright).recipe
    pinned, _ = choose.settle(recipe, "onnxruntime")
    same, choice = choose.settle(pinned)
    assert same is pinned
    assert choice.why == "the recipe names it"


def test_wrong_wishes_are_named(bright):
    recipe = open_bundle(bright).recipe
    for wish, message in [
        ("openvno", "did you mean openvino"),
        ("openvino:float16", "float32"),
        ("onnxruntime:bfloat16", "computes in float32"),
    ]:
        with pytest.raises(RecipeError, match=message):
            choose.settle(recipe, wish)
    with pytest.raises(RecipeError, match="has no network to compute"):
        choose.settle(Recipe.of("otsu"), "onnxruntime")
    assert choose.settle(Recipe.of("otsu")) == (Recipe.of("otsu"), None)


@needs_torch
def test_torch_needs_the_account_and_the_weights(bright, unet, tmp_path):
    with pytest.raises(RecipeError, match="without an account of its network or without its weights"):
        choose.settle(open_bundle(bright).recipe, "torch")
    with zipfile.ZipFile(unet) as archive:
        archive.extractall(tmp_path / "folder")
    assert opened_folder(tmp_path / "folder")(windows())["classes"].shape == (3, 48, 48, 3)
    data = bytearray((tmp_path / "folder" / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "folder" / "weights.safetensors").write_bytes(data)
    with pytest.raises(InputError, match=r"weights\.safetensors has changed"):
        opened_folder(tmp_path / "folder")


def opened_folder(folder):
    return choose.engine("torch").open_network(b"", str(folder / "networks" / "main.onnx"))


@needs_torch
def test_an_account_that_is_wrong_is_named(tmp_path):
    for told, message in [
        ({"network": "unett"}, "must hold network, channels_in"),
        ({**ARCHITECTURE, "network": "unett"}, "did you mean unet"),
    ]:
        bundle = write_bundle(tmp_path / "b.zip", {"microtome": 1, "steps": STEPS}, {"main": brightness_network()}, card="", facts={},
                              weights=b"x", architectures={"main": told})  # fmt: skip
        with pytest.raises((InputError, RecipeError), match=message):
            opened(bundle, "torch")


@pytest.mark.parametrize("engine", ["onnxruntime", pytest.param("openvino", marks=needs_openvino)])
def test_bytes_that_are_no_network_are_named(engine):
    with pytest.raises(InputError, match=r"a\.onnx: not a network"):
        choose.engine(engine).open_network(b"no network", "a.onnx")


def test_a_bundle_with_all_of_it_verifies_its_members(unet):
    with pytest.raises(InputError, match="has no example to replay"):
        verify(unet)
