"""Every step of the catalogue as an attribute: ``microtome.steps.otsu``. A step's file is read when it is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microtome.run import catalogue

if TYPE_CHECKING:
    from microtome.core.step import Step


def __getattr__(name: str) -> Step:
    if name not in catalogue.places():
        from microtome.core.errors import did_you_mean

        raise AttributeError(f"no step {name!r}{did_you_mean(name, catalogue.names())}")
    return catalogue.load(name)


def __dir__() -> list[str]:
    return sorted(catalogue.names())
