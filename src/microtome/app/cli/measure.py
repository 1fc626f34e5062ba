"""``microtome measure``: objects of masks that are already there."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from microtome.core.errors import InputError, MicrotomeError, RecipeError, did_you_mean

__all__ = ["measure"]


def measure(
    images: Annotated[list[str], typer.Argument(help="Files, folders and globs.", show_default=False)],
    masks: Annotated[Path, typer.Option(help="Folder of masks, named as the images (or one mask).", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for objects.csv.", show_default=False)],
    columns: Annotated[str | None, typer.Option("--measure", help="Measurements to make, separated by commas; all for every one.")] = None,
    channel: Annotated[str | None, typer.Option(help="Use this channel, by name or by number from 0.")] = None,
    axes: Annotated[str | None, typer.Option(help="Axes of the images, where they do not say.")] = None,
    spacing: Annotated[str | None, typer.Option(help='Pixel spacing, such as "0.65 um".')] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an objects.csv in OUT.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Measure objects: images and their masks to one table."""
    from microtome.core.events import collect_warnings
    from microtome.core.table import Table
    from microtome.io.find import find_images
    from microtome.io.whole import whole_file
    from microtome.measure.regions import ALL, COLUMNS, DEFAULT

    wanted = [word.strip() for word in columns.split(",")] if columns else list(DEFAULT)
    for name in wanted:
        if name not in COLUMNS and name != ALL:
            raise RecipeError(f"--measure: unknown measurement {name!r}{did_you_mean(name, COLUMNS)}")
    table_path = out / "objects.csv"
    if table_path.exists() and not overwrite:
        raise RecipeError(f"{table_path}: is there already; add --overwrite, or name another folder")
    if not masks.exists():
        raise InputError(f"{masks}: does not exist; --masks names the folder of masks")
    options = _options(channel, axes, spacing)
    tables, failures = [], {}
    for found in find_images(images):
        try:
            with collect_warnings() as said:
                tables.append(_one(found, masks, wanted, options))
            if not quiet:
                for message in dict.fromkeys(said):
                    print(f"note    {found.name}: {message}", file=sys.stderr)
        except MicrotomeError as error:
            failures[found.name] = str(error)
            print(f"failed  {found.name}: {error}", file=sys.stderr)
    table = Table.concat(tables)
    if tables:
        with whole_file(table_path) as temporary:
            temporary.write_text(table.to_csv(), encoding="utf-8", errors="backslashreplace", newline="")
    if as_json:
        print(json.dumps({"images": len(tables), "objects": len(table), "failures": failures, "out": str(table_path)}, ensure_ascii=False))
    elif not quiet:
        print(f"{len(table)} objects in {len(tables)} images. Table: {table_path}")
    if failures:
        raise typer.Exit(1)


def _options(channel: str | None, axes: str | None, spacing: str | None) -> Any:
    """The reading options, checked as a recipe's are."""
    from microtome.run.recipe import Recipe

    given = {"channel": int(channel) if channel and channel.isdecimal() else channel, "axes": axes, "spacing": spacing}
    return Recipe.of("otsu").with_input(**given).input


def _one(found: Any, masks: Path, wanted: list[str], options: Any) -> Any:
    from microtome.io.masks import read_mask
    from microtome.measure.regions import measure as regions
    from microtome.run.worker import Job, read_image

    image = read_image(Job(found.name, found.path), options)
    mask = read_mask(mask_for(found.name, masks))
    if options.spacing is not None:  # said by the user: it goes before what the mask's file says
        mask = replace(mask, spacing=image.spacing, unit=image.unit)
    return regions(mask, image, wanted).with_front(image=found.name)


def mask_for(name: str, masks: Path) -> Path:
    """The mask of an image: the same relative name, with any suffix a mask may have."""
    from microtome.io.find import stem_of

    if masks.is_file():
        return masks
    stem = masks / stem_of(name)
    for suffix in (".png", ".tif", ".tiff", ".npy"):
        path = stem.with_name(stem.name + suffix)
        if path.is_file():
            return path
    raise InputError(f"{name}: no mask in {masks}; expected {stem.name}.png or .tif there")
