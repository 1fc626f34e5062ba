"""What is heavy is imported when it is used, not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "skimage", "cv2", "numba", "scipy", "matplotlib", "pandas")


@pytest.mark.parametrize(
    "statement",
    [
        "import microtome",
        "import microtome; dir(microtome)",
        "from typer.testing import CliRunner as R; from microtome.app.cli.main import app; assert R().invoke(app, '--help').exit_code == 0",
        "from microtome.run import catalogue; catalogue.names()",
    ],
)
def test_nothing_heavy_is_imported(statement: str) -> None:
    code = f"import sys; {statement}; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_public_name_is_there() -> None:
    import microtome

    for name in microtome.__all__:
        assert getattr(microtome, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    import microtome

    with pytest.raises(AttributeError, match="no_such_thing"):
        microtome.no_such_thing  # noqa: B018
