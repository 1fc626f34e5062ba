"""What a training recipe can name, with every setting: read off the catalogues, so that a new file appears by itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from steps import cell, sections  # the file beside this one

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.keywords import settings_of
from microtome.core.parameters import Length, Setting
from microtome.core.step import parameter_docs
from microtome.learn.augment import catalogue as augmentation
from microtome.learn.data.windows import Sampling
from microtome.learn.training.optimisers import OPTIMISERS
from microtome.learn.training.schedules import SCHEDULES
from microtome.losses import catalogue as losses
from microtome.networks import catalogue as networks
from microtome.run import yaml_text
from microtome.targets import catalogue as targets
from microtome.targets.heads import Head
from microtome.targets.weight_map import weight_map

__all__ = ["TABLES"]

Settings = Mapping[str, Setting]

_CLASSES = ClassTable((ClassEntry(0, "one a class"),))
_SCORES = {"softmax": "probabilities that sum to one", "sigmoid": "a probability", "none": "numbers"}


def _targets() -> str:
    return "\n".join(_target(name) for name in targets.names())


def _target(name: str) -> str:
    target = targets.load(name)
    heads = "; ".join(_head(head) for head in target.heads(_CLASSES, 2))
    about = (
        f"{_file_line(target.encoder)} {_first_line(target.encoder)}\n\nHeads: {heads}. Decoder: [{name}](steps/{target.decode.name}.md)."
    )
    return _entry(name, about, target.encoder, targets.settings(name))


def _head(head: Head) -> str:
    return f"`{head.name}` ({', '.join(head.layers)}: {_SCORES[head.activation]})"


def _losses() -> str:
    return "\n".join(_loss(name, losses.load(name)) for name in losses.names())


def _loss(name: str, loss: Callable[..., Any]) -> str:
    return _entry(name, f"{_file_line(loss)} {_first_line(loss)}", loss, losses.settings(name))


def _augmentation(*folders: str) -> str:
    found = [(name, augmentation.load(name).draw) for name in augmentation.names(*folders)]
    drawn = {name: _first_line(draw).removeprefix("Draw ") for name, draw in found}
    return "\n".join(_entry(name, f"{_file_line(draw)} Drawn: {drawn[name]}", draw, augmentation.settings_of(name)) for name, draw in found)


def _functions(catalogue: Mapping[str, Callable[..., Any]]) -> str:
    return "\n".join(_entry(name, _first_line(one), one, settings_of(one)) for name, one in catalogue.items())


def _pixel_weights() -> str:
    return _body(f"{_file_line(weight_map)} {_first_line(weight_map)}", weight_map, settings_of(weight_map))


def _sampling() -> str:
    return _body(_file_line(Sampling), Sampling, settings_of(Sampling))


def _networks() -> str:
    """Those of pixels: a recipe that names one of whole images is refused."""
    known = [name for name, place in networks.places().items() if not place.startswith("microtome.networks.classification.")]
    rows = "".join(f"| `{name}` | {cell(networks.summary_line(name))} |\n" for name in known)
    return f"| network | |\n|---|---|\n{rows}"


def _entry(name: str, about: str, described: Any, settings: Settings) -> str:
    return f"### {name}\n\n{_body(about, described, settings)}"


def _body(about: str, described: Any, settings: Settings) -> str:
    """What it is, its settings, and from its docstring what else there is to know and where it comes from."""
    parts = dict(sections(inspect.getdoc(described) or ""))
    told = [about, _table(described, settings) if settings else "It has no settings."]
    told += [parts["Notes"]] if "Notes" in parts else []
    told += [f"Source: {_until_example(parts['References'])}"] if "References" in parts else []
    return "\n\n".join(one.strip("\n") for one in told) + "\n"


def _table(described: Any, settings: Settings) -> str:
    doc = (inspect.getdoc(described) or "").replace("Attributes\n", "Parameters\n")  # as the fields of a dataclass are called
    about, types = parameter_docs(doc), dict(re.findall(r"^(\w+) : (.+)$", doc, re.MULTILINE))
    rows = ""
    for one in (replace(setting, about=setting.about or about.get(name, "")) for name, setting in settings.items()):
        kind = _kind(one, types.get(one.name, ""))
        rows += f"| `{one.name}` | {kind} | {one.bounds or ''} | {_default(one)} | {cell(one.about)} |\n"
    return f"| setting | kind | range | default | |\n|---|---|---|---|---|\n{rows}"


def _kind(setting: Setting, said: str) -> str:
    """In words; of as many numbers as there are classes, channels or axes the docstring alone says which."""
    if isinstance(setting.bounds, Length):
        return "pixels, or a length such as `2 um`"
    return said.removesuffix(", optional") if said and "several numbers" in setting.kind else setting.kind


def _default(setting: Setting) -> str:
    """As a recipe writes it."""
    if setting.required:
        return "needed"
    if setting.default is None:
        return "none"
    value = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    return f"`{yaml_text.dump_value(float(f'{value:.4g}') if isinstance(value, float) else value)}`"


def _file_line(described: Any) -> str:
    return _first_line(inspect.getmodule(described))


def _first_line(described: Any) -> str:
    return (inspect.getdoc(described) or "").partition("\n")[0]


def _until_example(text: str) -> str:
    return " ".join(text.partition("\n>>>")[0].split())


TABLES: dict[str, Callable[[], str]] = {
    "<!-- targets -->": _targets,
    "<!-- losses -->": _losses,
    "<!-- pixel weights -->": _pixel_weights,
    "<!-- augment: places -->": lambda: _augmentation("geometry"),
    "<!-- augment: values -->": lambda: _augmentation("intensity"),
    "<!-- mix -->": lambda: _augmentation("batch"),
    "<!-- sampling -->": _sampling,
    "<!-- networks -->": _networks,
    "<!-- optimisers -->": lambda: _functions(OPTIMISERS),
    "<!-- schedules -->": lambda: _functions(SCHEDULES),
}
"""What stands in the page for each marker."""
