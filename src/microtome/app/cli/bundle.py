"""``microtome bundle``: look into a trained model, and prove that it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["bundle"]


def bundle(
    what: Annotated[Literal["show", "verify"], typer.Argument(help="show its card and recipe, or verify it.", show_default=False)],
    path: Annotated[str, typer.Argument(help="A shipped model's name, or a bundle's path.", show_default=False)],
) -> None:
    """Show a bundle's card and recipe; or check every byte of it and replay its example (exit code 1 where it comes out otherwise)."""
    from microtome.run.bundle import find_bundle, verify
    from microtome.run.bundle_file import member_names, read_member

    found = find_bundle(path)
    if what == "show":
        size = sum(len(read_member(found.path, name)) for name in member_names(found.path))
        print(f"{Path(found.path).name}: {size / 1e6:.1f} MB")
        for key, value in found.facts.items():
            print(f"  {key}: {value}")
        print(f"\n{found.card.strip()}\n\n{found.recipe.to_yaml()}", end="")
        return
    verdict = verify(path)
    agreed, least = f"{verdict.agreement:.4%}".replace("%", " %"), f"{verdict.tolerance:.2%}".replace("%", " %")
    print(f"{verdict.members} files are as they were; the example agrees to {agreed} (at least {least})")
    if not verdict.sound:
        raise typer.Exit(1)
