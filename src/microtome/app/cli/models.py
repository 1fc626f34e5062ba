"""``microtome models``: the shipped ones, or the card of one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from microtome.app.cli.complete import complete_model

if TYPE_CHECKING:
    from microtome.run.bundle import Bundle

__all__ = ["models"]


def models(
    name: Annotated[
        str | None, typer.Argument(help="Show this model: a shipped one's name, or a bundle's path.", autocompletion=complete_model)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the shipped models, which `--model NAME` runs, or show one's card and recipe."""
    from microtome.app.cli.bundle import page
    from microtome.run.bundle import find_bundle
    from microtome.run.shipped import model_names

    if name is not None:
        found = find_bundle(name)
        print(json.dumps(_told(found), ensure_ascii=False, default=str) if as_json else page(found), end="\n" if as_json else "")
        return
    about = {shipped: find_bundle(shipped).recipe.about for shipped in model_names()}
    if as_json:
        print(json.dumps(about, ensure_ascii=False))
    elif about:
        width = max(map(len, about))
        print("\n".join(f"{shipped:<{width}}  {text}" for shipped, text in about.items()))
    else:
        print("no models are shipped with this installation; `microtome train` makes one of your own images")


def _told(bundle: Bundle) -> dict[str, Any]:
    return {"path": str(bundle.path), "facts": dict(bundle.facts), "card": bundle.card.strip(), "recipe": bundle.recipe.document()}
