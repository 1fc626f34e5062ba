"""``microtome steps``: what there is, and what one step takes."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from microtome.app.cli.complete import complete_step

__all__ = ["steps"]


def steps(
    name: Annotated[str | None, typer.Argument(help="Describe this step.", autocompletion=complete_step)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the steps, or describe one: its inputs, settings, tiling and source."""
    from microtome.run import catalogue

    if name is None:
        listed = {step: catalogue.load(step).summary_line for step in catalogue.names()}
        print(json.dumps(listed, ensure_ascii=False) if as_json else _list(listed, catalogue.places()))
        return
    step = catalogue.load(name)
    print(json.dumps(_describe(step), ensure_ascii=False) if as_json else _page(step))


def _list(listed: dict[str, str], places: dict[str, str]) -> str:
    lines: list[str] = []
    shelf = ""
    width = max(map(len, listed))
    for name, line in listed.items():
        folder = places[name].split(":")[0].split(".")[-2]
        if folder != shelf:
            lines += ["", folder] if lines else [folder]
            shelf = folder
        lines.append(f"  {name:<{width}}  {line}")
    return "\n".join(lines)


def _describe(step: Any) -> dict[str, Any]:
    return {
        "name": step.name,
        "about": step.summary_line,
        "inputs": {
            name: {"nouns": [noun.__name__ for noun in need.nouns], "optional": need.optional} for name, need in step.inputs.items()
        },
        "settings": {
            name: {
                "kind": setting.kind,
                "default": None if setting.required else setting.default,
                "required": setting.required,
                "range": str(setting.bounds or ""),
                "about": setting.about,
            }
            for name, setting in step.settings.items()
        },
        "gives": {name: [noun.__name__ for noun in nouns] for name, nouns in step.returns.items()},
        "tiling": type(step.tiling).__name__,
        "channels": step.channels,
        "doc": step.doc,
    }


def _page(step: Any) -> str:
    takes = ", ".join(
        f"{name} ({' or '.join(noun.__name__ for noun in need.nouns)}{', optional' if need.optional else ''})"
        for name, need in step.inputs.items()
    )
    gives = ", ".join(" or ".join(noun.__name__ for noun in nouns) for nouns in step.returns.values())
    lines = [f"{step.name}: {step.summary_line}", "", f"takes   {takes}", f"gives   {gives}",
             f"tiling  {type(step.tiling).__name__}", f"colour  channels {step.channels}", ""]  # fmt: skip
    for name, setting in step.settings.items():
        default = "required" if setting.required else f"default {setting.default}"
        bounds = f", {setting.bounds}" if setting.bounds and str(setting.bounds) else ""
        lines += [f"  {name}: {setting.kind}{bounds}, {default}", f"      {setting.about}"]
    return "\n".join([*lines, "", step.doc])
