"""``microtome bundle``: look into a trained model, prove that it is whole, or make a smaller one of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from microtome.app.cli.complete import complete_model
from microtome.core.errors import RecipeError

if TYPE_CHECKING:
    from microtome.run.bundle import Bundle

__all__ = ["bundle", "page"]


def bundle(
    what: Annotated[
        Literal["show", "verify", "export"],
        typer.Argument(help="show its card and recipe, verify it, or export another form of it.", show_default=False),
    ],
    path: Annotated[
        str, typer.Argument(help="A shipped model's name, or a bundle's path.", show_default=False, autocompletion=complete_model)
    ],
    int8: Annotated[bool, typer.Option("--int8", help="export: with networks in 8 bits, which --data calibrates.")] = False,
    half: Annotated[bool, typer.Option("--half", help="export: with weights stored in 16 bits; computed as before.")] = False,
    data: Annotated[list[str] | None, typer.Option(help="export --int8: images like those it is for (files, folders, globs).")] = None,
    out: Annotated[Path | None, typer.Option(help="export: the new bundle, a .zip.")] = None,
) -> None:
    """Show a bundle's card and recipe; check every byte of it and replay its example (exit code 1 where it differs); or export it."""
    if what == "export":
        _export_half(path, data, out) if half and not int8 else _export(path, int8 and not half, data, out)
        return
    if int8 or half or data or out:
        raise RecipeError(f"--int8, --half, --data and --out belong to export, not to {what}")
    from microtome.run.bundle import find_bundle, verify

    if what == "show":
        print(page(find_bundle(path)), end="")
        return
    verdict = verify(path)
    agreed, least = f"{verdict.agreement:.4%}".replace("%", " %"), f"{verdict.tolerance:.2%}".replace("%", " %")
    print(f"{verdict.members} files are as they were; the example agrees to {agreed} (at least {least})")
    if not verdict.sound:
        raise typer.Exit(1)


def page(bundle: Bundle) -> str:
    """A model's size, card and recipe as text."""
    facts = "".join(f"  {key}: {value}\n" for key, value in bundle.facts.items())
    return f"{bundle.path.name}: {_size(bundle) / 1e6:.1f} MB\n{facts}\n{bundle.card.strip()}\n\n{bundle.recipe.to_yaml()}"


def _size(bundle: Bundle) -> int:
    from microtome.run.bundle_file import member_names, read_member

    if bundle.path.is_file():
        return bundle.path.stat().st_size
    return sum(len(read_member(bundle.path, name)) for name in member_names(bundle.path))


def _export(path: str, int8: bool, data: list[str] | None, out: Path | None) -> None:
    from microtome.io.find import find_images
    from microtome.run.bundle import find_bundle
    from microtome.run.quantise import quantise

    if not int8:
        raise RecipeError("export: say into what: --int8 --data IMAGES --out FILE.zip makes a bundle whose networks compute in 8 bits, "
                          "--half --out FILE.zip one whose weights are stored in 16")  # fmt: skip
    if not data or out is None:
        raise RecipeError("export --int8: needs --data IMAGES to calibrate on, and --out FILE.zip")
    _check_new(out)
    found = quantise(find_bundle(path), [image.path for image in find_images(data)], out)
    apart = "kept apart" if found.apart else "the same that it was calibrated on"
    print(f"{out}: agrees with float32 in {found.agreement:.3%} of the pixels, {found.least:.3%} at least ({found.images} images, {apart}; "
          f"calibrated on {found.windows} windows)")  # fmt: skip


def _export_half(path: str, data: list[str] | None, out: Path | None) -> None:
    from microtome.run.bundle import agreement, example_of, find_bundle
    from microtome.run.halve import halve

    if data or out is None:
        raise RecipeError("export --half: needs --out FILE.zip, and no --data: rounding is calibrated on nothing")
    _check_new(out)
    old = find_bundle(path)
    new = find_bundle(str(halve(old, out)))
    before, after = example_of(old, old.recipe), example_of(old, new.recipe)
    agreed = (
        "" if before is None or after is None else f"; its example agrees in {agreement(after.mask, before.mask.pixels):.3%} of the pixels"
    )
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, before {_size(old) / 1e6:.1f} MB{agreed}")


def _check_new(out: Path) -> None:
    if out.exists():
        raise RecipeError(f"{out}: exists already; choose another name")
