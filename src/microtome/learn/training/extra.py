"""Whether what training needs is installed, asked before anything is read."""

from __future__ import annotations

from importlib.util import find_spec

from microtome.core.errors import MissingExtra

__all__ = ["check_extra"]


def check_extra() -> None:
    """Refuse to begin without torch and its company.

    Raises
    ------
    MissingExtra
        Naming the library that is missing.
    """
    try:
        import accelerate  # noqa: F401
        import safetensors  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise _missing(str(error.name)) from None
    for name in ("onnx", "onnxscript"):  # needed hours later, when the model is written
        if find_spec(name) is None:
            raise _missing(name)


def _missing(name: str) -> MissingExtra:
    return MissingExtra(f"training needs {name}: pip install 'microtome[deep]'")
