"""A page for every step of the catalogue, from the step itself: its docstring, inputs, settings, tiling and channels."""

from __future__ import annotations

import re
from collections.abc import Iterator

from microtome.core.step import Step
from microtome.core.tiling import Local, Mergeable, Reducible, Whole, Windowed

__all__ = ["cell", "page", "sections", "table"]

CHANNELS = {
    "refused": "refuses an image with a channel axis",
    "each": "treats each channel alone",
    "joint": "takes all channels together",
}


def page(step: Step, gallery: str | None) -> str:
    """The page of one step in Markdown; `gallery` links to its example."""
    told = dict(sections(step.doc))
    parts = [f"# {step.name}\n\n{told.pop('')}\n"]
    parts += [f"[See it on a picture]({gallery})\n"] if gallery else []
    parts += [_inputs(step)]
    parts += [_settings(step)] if step.settings else []
    parts += [f"## Returns\n\n{_definitions(told.pop('Returns'))}"] if "Returns" in told else []
    parts += [f"## Tiles and channels\n\n{_tiling(step)} It {CHANNELS[step.channels]}.\n"]
    told.pop("Parameters", None)
    parts += [f"## {name}\n\n{_body(name, text)}\n" for name, text in told.items()]
    return "\n".join(parts)


def _inputs(step: Step) -> str:
    rows = ""
    for need in step.inputs.values():
        nouns = " or ".join(noun.__name__ for noun in need.nouns)
        rows += f"| `{need.name}` | {nouns}{', may be left out' if need.optional else ''} | {cell(need.about)} |\n"
    return f"## Inputs\n\n| input | noun | |\n|---|---|---|\n{rows}"


def _settings(step: Step) -> str:
    rows = ""
    for setting in step.settings.values():
        default = "needed" if setting.required else f"`{setting.default}`"
        rows += f"| `{setting.name}` | {setting.kind} | {setting.bounds or ''} | {default} | {cell(setting.about)} |\n"
    return f"## Settings\n\n| setting | kind | range | default | |\n|---|---|---|---|---|\n{rows}"


def table(steps: list[tuple[Step, str]]) -> str:
    """Steps by name with the first line of what they do."""
    rows = "".join(f"| [{step.name}]({link}) | {cell(step.summary_line)} |\n" for step, link in steps)
    return f"| step | |\n|---|---|\n{rows}"


def sections(doc: str) -> Iterator[tuple[str, str]]:
    """The sections of a numpydoc docstring; the summary has no name."""
    pieces = re.split(r"^(\w[\w ]*)\n-{3,}\n", doc, flags=re.MULTILINE)
    yield "", pieces[0].strip()
    for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
        yield name, text.strip("\n")


def _body(name: str, text: str) -> str:
    return _definitions(text) if name in ("Raises", "Warns") else _prose(text)


def _definitions(text: str) -> str:
    """``Noun`` and its indented explanation, as a list."""
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f"- **{line}**" if not line.startswith(" ") else f"  {line.strip()}" for line in lines) + "\n"


def _prose(text: str) -> str:
    """Text with examples between: the lines of an example go into a block."""
    blocks = [f"```python\n{block}\n```" if block.lstrip().startswith(">>>") else block for block in text.split("\n\n")]
    return "\n\n".join(blocks)


def cell(text: str) -> str:
    """Text as a cell of a table holds it."""
    return text.replace("|", "\\|").replace("\n", " ")


def _tiling(step: Step) -> str:
    match step.tiling:
        case Local():
            reach = step.tiling.halo
            how = "a halo that follows from its settings" if callable(reach) else f"a halo of {reach} pixels"
            return f"**Local**: tiles with {how} give the same values, bit for bit."
        case Reducible():
            return "**Reducible**: after a first look at every tile, tiles give the same values, bit for bit."
        case Mergeable():
            return "**Mergeable**: blocks are solved one by one and merged, equal up to the numbering of objects."
        case Windowed():
            return (
                "**Windowed**: a grid of windows from the image's first pixel on defines its result, and they are added up in the grid's"
                " order: memory and threads change nothing, another grid does."
            )
        case Whole():
            return f"**Whole**: it refuses tiles, since {step.tiling.why}."
