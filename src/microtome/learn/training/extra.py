"""Whether what training needs is installed, asked before anything is read."""

from __future__ import annotations

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
        raise MissingExtra(f"training needs {error.name}: pip install 'microtome[deep]'") from None
