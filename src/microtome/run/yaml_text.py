"""Recipe text to plain data and back: YAML that can hold data only, and holds it as people mean it.

YAML 1.1 reads ``on`` and ``no`` as booleans and ``1e-3`` as text; here words stay words and numbers are numbers. Tags,
anchors and keys written twice are refused: a recipe is data, and one place says one thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from microtome.core.errors import RecipeError

__all__ = ["dump", "dump_tree", "dump_value", "load"]

_LARGEST = 1 << 20


class _Loader(yaml.SafeLoader):
    """The safe loader with YAML 1.2's booleans and numbers."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class-level table
        first: [
            (tag, pattern)
            for tag, pattern in pairs
            if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp")
        ]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call, unused-ignore]
        if isinstance(event, yaml.events.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.constructor.ConstructorError(None, None, "a recipe has no anchors or aliases; write the value out", event.start_mark)
        return super().compose_node(parent, index)  # type: ignore[no-untyped-call, unused-ignore]

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)  # type: ignore[no-untyped-call, unused-ignore]
            if not isinstance(key, (str, int, float)):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a word", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice; keep one", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.(?:inf|nan))$"),
    list("-+0123456789."),
)


def load(text: str, source: str = "recipe") -> Any:
    """Parse recipe text.

    Raises
    ------
    RecipeError
        With the line, for text that is not YAML, holds tags that would build objects, or says a thing twice.
    """
    if len(text) > _LARGEST:
        raise RecipeError(f"{source}: {len(text)} characters; a recipe has at most {_LARGEST}")
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.constructor.ConstructorError as error:
        raise RecipeError(f"{source}{_line(error)}: {_problem(error)}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RecipeError(f"{source}{_line(error)}: not readable as YAML: {getattr(error, 'problem', None) or error}") from None


def _line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}" if mark else ""


def _problem(error: yaml.constructor.ConstructorError) -> str:
    problem = error.problem or str(error)
    if "could not determine a constructor" in problem:
        tag = problem.rsplit("'", 2)[1]
        return f"the tag {tag} is refused: a recipe holds plain words and numbers, nothing that would run code"
    return problem


def dump(document: Mapping[str, Any]) -> str:
    """Write a recipe as people write it: a line a key, a line a step with its settings, keys in their order."""
    lines = []
    for key, value in document.items():
        if key == "steps":
            lines += ["steps:", *(f"  {line}" for step in value for line in _step_lines(step))]
        else:
            lines.append(f"{key}: {dump_value(value)}")
    return "\n".join(lines) + "\n"


def _step_lines(step: str | Mapping[str, Any]) -> list[str]:
    if isinstance(step, str):
        return [f"- {step}"]
    return [f"{'  ' if number else '- '}{key}: {dump_value(value)}" for number, (key, value) in enumerate(step.items())]


def dump_tree(document: Mapping[str, Any]) -> str:
    """Write a document of many settings: a line a setting, those of one part below it.

    >>> print(dump_tree({"train": {"batch": 4, "network": {"unet": {"depth": 5}}}}), end="")
    train:
      batch: 4
      network:
        unet:
          depth: 5
    """
    return "".join(f"{line}\n" for line in _tree_lines(document))


def _tree_lines(document: Mapping[str, Any]) -> Iterator[str]:
    for name, value in document.items():
        key = dump_value(name)
        if isinstance(value, Mapping) and value:
            yield f"{key}:"
            yield from (f"  {line}" for line in _tree_lines(value))
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            yield f"{key}:"
            yield from (f"  - {dump_value(one)}" for one in value)
        else:
            yield f"{key}: {dump_value(value)}"


def dump_value(value: Any) -> str:
    """Write one value on one line: ``1.0``, ``dark``, ``[1, 2]``, ``{sigma: 1.0}``."""
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=1 << 20)
    return text.removesuffix("\n").removesuffix("\n...")


class _Dumper(yaml.SafeDumper):
    """Quotes what `_Loader` would take for something else than text."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> Any:
        style = None if text.isprintable() else '"'  # other styles would spread a line break over lines
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)
