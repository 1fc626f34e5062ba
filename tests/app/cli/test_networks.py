"""``microtome networks``: the list, a page, JSON, and where torch is missing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from microtome.app.cli.networks import complete_network, networks
from microtome.core.errors import RecipeError

app = typer.Typer()
app.command()(networks)


def call(*arguments):
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def without_torch(*arguments):
    code = (
        f"import sys; sys.modules['torch'] = None; sys.argv = ['networks', *{arguments!r}]; import typer;"
        "from microtome.app.cli.networks import networks; typer.run(networks)"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_the_list_needs_no_torch():
    done = without_torch()
    assert done.returncode == 0
    assert "unet" in done.stdout
    assert set(json.loads(call("--json"))) >= {"unet", "encoder_decoder", "fcn_same", "smp", "timm_unet"}


def test_one_network_without_torch_names_the_extra():
    done = without_torch("unet")
    assert done.returncode != 0
    assert "pip install 'microtome[deep]'" in done.stderr


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from typer.testing import CliRunner as R; import typer; from microtome.app.cli.networks import networks as n;"
        "a = typer.Typer(); a.command()(n); assert R().invoke(a, '--help').exit_code == 0;"
        "print(*(m for m in ('torch', 'numpy', 'scipy', 'pydantic') if m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


def test_the_papers_unet_is_described_with_its_nearest_legal_sizes():
    pytest.importorskip("torch")
    paper = ("unet", "--set", "padding=valid", "--set", "root=64", "--set", "norm=none")
    page = call(*paper, "--size", "512")
    for line in ("parameters       31,030,658", "legal sizes      188 + 16 i", "stride           16", "receptive field  188 to 204 pixels",
                 "508 x 508 gives 324 x 324", "524 x 524 gives 340 x 340"):  # fmt: skip
        assert line in page
    told = json.loads(call(*paper, "--size", "572", "--json"))
    assert told["sizes"][0]["output"] == 388
    assert round(told["sizes"][0]["multiply_adds"] / 1e9) == 150
    assert told["receptive_field"] == {"least": 188, "greatest": 204}
    assert told["settings"]["padding"]["value"] == "valid"


def test_same_padding_takes_any_size():
    pytest.importorskip("torch")
    page = call("fcn_same", "--size", "100", "--channels", "3", "--classes", "3", "--set", "layers=4")
    assert "parameters       112,771 (3 channel(s) in, 3 classes)" in page
    assert "100 x 100 gives 100 x 100" in page


def test_mistakes():
    with pytest.raises(RecipeError, match="unknown network 'unte'; did you mean unet"):
        call("unte")
    with pytest.raises(RecipeError, match="--set depth: is not key=value"):
        call("unet", "--set", "depth")


def test_completion():
    assert complete_network("un") == ["unet"]
