"""``microtome convert``: annotations from one format to another, and what that cost."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["convert"]


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A file or a folder of annotations, or a zip.", show_default=False)],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file or folder to write.", show_default=False)],
    to: Annotated[
        str,
        typer.Option(
            "--to", help="coco, labelme, via, cvat, voc, yolo, kaggle, geojson, imagej or masks.", metavar="FORMAT", show_default=False
        ),
    ],
    from_: Annotated[str | None, typer.Option("--from", help="The format of IN; else told by content.", metavar="FORMAT")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the images, for formats that do not say sizes.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave faulty entries out instead of stopping at the first.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is at OUT.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Convert annotations to another format, and account for what it does not hold."""
    from microtome.core.events import collect_warnings
    from microtome.io.annotations.convert import convert as convert_files

    with collect_warnings() as said:
        done = convert_files(source, out, to=to, format=from_, images=images, skip_bad=skip_bad, overwrite=overwrite)
    notes = [message for message in dict.fromkeys(said) if message not in done.left_out]
    if as_json:
        told = {"out": str(done.path), "format": to, "images": done.images, "objects": done.objects, "lost": dict(done.lost)}
        print(json.dumps({**told, "left_out": list(done.left_out), "notes": notes}, ensure_ascii=False))
    else:
        found = f"{done.images} image{'s' * (done.images != 1)}"
        print(f"{found} with {done.objects} object{'s' * (done.objects != 1)} in {done.path}")
        for what, count in done.lost.items():
            print(f"lost    {what}: {count}")
        if not done.lost:
            print("lost    nothing")
        for message in notes:
            print(f"note    {message}", file=sys.stderr)
        for message in done.left_out:
            print(f"bad     {message}", file=sys.stderr)
    if done.left_out:
        raise typer.Exit(1)
