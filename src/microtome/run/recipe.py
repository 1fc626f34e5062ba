"""The recipe: the only configuration there is. One small graph of steps, written in YAML, in Python or in the shell.

microtome: 1
about: Fluorescent nuclei, touching ones split
steps:
  - gaussian: {sigma: 1.0}
  - otsu
  - split_touching: {min_distance: 7}
measure: [area, mean_intensity]
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from microtome.core.errors import RecipeError, did_you_mean
from microtome.core.units import parse_spacing
from microtome.run import catalogue, yaml_text

__all__ = ["FORMAT", "Input", "Recipe", "StepUse"]

FORMAT = 1
Scalar = bool | int | float | str | None
Value = Scalar | list[Scalar]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Input(_Strict):
    """How files are read: which channel and which page of several, and what they do not say themselves."""

    channel: str | int | None = None
    spacing: str | list[str] | None = None
    axes: str | None = None
    page: int | None = Field(default=None, ge=0)

    @field_validator("spacing")
    @classmethod
    def _spacing_is_a_length(cls, value: str | list[str] | None) -> str | list[str] | None:
        if value is not None:
            parse_spacing(value)
        return value

    @field_validator("axes")
    @classmethod
    def _axes_are_known(cls, value: str | None) -> str | None:
        """They are the file's, in its order; y before x, since xy is what people write of files that are yx."""
        known = value is None or ({"y", "x"} <= set(value) <= set("yxzct") and len(set(value)) == len(value))
        if value is not None and not (known and value.index("y") < value.index("x")):
            raise RecipeError(f"axes {value!r}: write y and then x, and z, c, t where there are such, each once, in the file's order")
        return value


class StepUse(_Strict):
    """One step of a recipe: its name, its settings, where its inputs come from and what its result is called."""

    step: str
    settings: dict[str, Value] = Field(default_factory=dict)
    inputs: dict[str, str] = Field(default_factory=dict, alias="from")
    name: str | None = Field(default=None, alias="as")
    over: Literal["image", "group", "set"] = "image"

    def document(self) -> str | dict[str, Any]:
        """As it stands in a recipe file."""
        rest: dict[str, Any] = {"from": dict(self.inputs)} if self.inputs else {}
        rest |= {"as": self.name} if self.name else {}
        rest |= {"over": self.over} if self.over != "image" else {}
        if not self.settings and not rest:
            return self.step
        return {self.step: dict(self.settings), **rest}

    @property
    def networks(self) -> tuple[str, ...]:
        """Where the networks lie that it computes; none of a step that is no network."""
        if self.step != "network":
            return ()
        weights = self.settings["weights"]
        return tuple(map(str, weights)) if isinstance(weights, list) else (str(weights),)


class Recipe(_Strict):
    """What to do with an image. Frozen; checked when it is made: names, settings and the graph of nouns.

    Examples
    --------
    >>> recipe = Recipe.of("gaussian", ("otsu", {"foreground": "dark"}))
    >>> print(recipe.to_shell())
    --step gaussian --step otsu:foreground=dark
    """

    microtome: int = FORMAT
    about: str = ""
    input: Input = Field(default_factory=Input)
    steps: tuple[StepUse, ...]
    measure: tuple[str, ...] | None = None
    outputs: dict[str, str] = Field(default_factory=dict)

    # Making one

    @classmethod
    def of(
        cls,
        *steps: str | tuple[str, Mapping[str, Any]] | Mapping[str, Any],
        about: str = "",
        input: Mapping[str, Any] | None = None,
        measure: Sequence[str] | None = None,
        outputs: Mapping[str, str] | None = None,
    ) -> Self:
        """Build a recipe in Python: a step is a name, a (name, settings) pair, or a mapping as in a recipe file.

        Raises
        ------
        RecipeError
            As `from_document`.
        """
        entries = [{step[0]: dict(step[1])} if isinstance(step, tuple) else step for step in steps]
        document: dict[str, Any] = {"microtome": FORMAT, "about": about, "input": dict(input or {}), "steps": entries}
        document |= {"measure": list(measure)} if measure is not None else {}
        document |= {"outputs": dict(outputs)} if outputs else {}
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: Any, source: str = "recipe") -> Self:
        """Check plain data against the recipe's form and against the steps it names.

        Raises
        ------
        RecipeError
            Naming the place (``steps[2].min_distanc``), what stands there and near spellings.
        """
        from microtome.run.graph import plan

        if not isinstance(document, Mapping):
            raise RecipeError(f"{source}: a recipe is a mapping that begins with 'microtome: {FORMAT}', found {_a(document)}")
        _check_version(document, source)
        _check_keys(document, ("microtome", "about", "input", "steps", "measure", "outputs"), source)
        entries = document.get("steps")
        if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
            raise RecipeError(f"{source}: steps: needs a list of at least one step, found {_a(entries)}")
        steps = [_step_document(entry, f"steps[{number}]") for number, entry in enumerate(entries)]
        try:
            recipe = cls.model_validate({**document, "steps": steps})
        except ValidationError as error:
            raise RecipeError(f"{source}: {_first_problem(error)}") from None
        try:
            plan(recipe)
        except RecipeError as error:
            raise RecipeError(f"{source}: {error}" if source != "recipe" else str(error)) from None
        return recipe

    @classmethod
    def from_yaml(cls, text: str, source: str = "recipe") -> Self:
        """Read recipe text."""
        return cls.from_document(yaml_text.load(text, source), source)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a recipe file.

        Raises
        ------
        RecipeError
            If the file is missing, is not text or is not a recipe.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise RecipeError(f"{path}: is not a text file; a recipe is YAML") from None
        except OSError as error:
            raise RecipeError(f"{path}: cannot be read: {error.strerror}") from None
        return cls.from_yaml(text, str(path))

    @classmethod
    def from_shell(cls, steps: Sequence[str], *, input: Mapping[str, Any] | None = None, measure: Sequence[str] | None = None) -> Self:
        """Read ``--step`` texts, such as ``"gaussian:sigma=1"``."""
        return cls.of(*(_parse_shell_step(text) for text in steps), input=input, measure=measure)

    # Printing one

    def document(self) -> dict[str, Any]:
        """As plain data, in the order a recipe file has; defaults left out."""
        given = self.input.model_dump(exclude_none=True)
        data: dict[str, Any] = {"microtome": self.microtome}
        data |= {"about": self.about} if self.about else {}
        data |= {"input": given} if given else {}
        data["steps"] = [use.document() for use in self.steps]
        data |= {"measure": list(self.measure)} if self.measure is not None else {}
        data |= {"outputs": dict(self.outputs)} if self.outputs else {}
        return data

    def to_yaml(self) -> str:
        """As the text of a recipe file."""
        return yaml_text.dump(self.document())

    def to_shell(self) -> str:
        """As ``--step`` options, for a recipe that is a plain chain of steps.

        Raises
        ------
        RecipeError
            If it names inputs, results or outputs, which the shell form cannot say.
        """
        if self.outputs or any(use.inputs or use.name or use.over != "image" for use in self.steps):
            raise RecipeError("a recipe with named inputs, results or outputs has no shell form: keep it in a file")
        import shlex

        words = [f"--step {shlex.quote(_shell_step(use))}" for use in self.steps]
        words += [f"--channel {shlex.quote(str(self.input.channel))}"] if self.input.channel is not None else []
        words += [f"--axes {self.input.axes}"] if self.input.axes else []
        words += [f"--page {self.input.page}"] if self.input.page is not None else []
        spacing = self.input.spacing
        words += [f"--spacing {shlex.quote(spacing if isinstance(spacing, str) else ', '.join(spacing))}"] if spacing else []
        words += [f"--measure {','.join(self.measure)}"] if self.measure else []
        return " ".join(words)

    def to_python(self) -> str:
        """As a ``Recipe.of(...)`` call."""
        parts = [
            repr(entry) if isinstance(entry, str) or len(entry) > 1 else repr(next(iter(entry.items())))
            for entry in map(StepUse.document, self.steps)
        ]
        rest = {key: value for key, value in self.document().items() if key not in ("microtome", "steps")}
        return f"Recipe.of({', '.join([*parts, *(f'{key}={value!r}' for key, value in rest.items())])})"

    __repr__ = __str__ = to_python

    def with_input(self, **changes: Any) -> Self:
        """The same recipe with other reading options; None leaves one as it is."""
        given = self.document().get("input", {}) | {key: value for key, value in changes.items() if value is not None}
        return self.from_document({**self.document(), "input": given})

    @property
    def networks(self) -> tuple[str, ...]:
        """Where its networks lie, each once."""
        return tuple(dict.fromkeys(place for use in self.steps for place in use.networks))

    def without_input(self) -> Self:
        """The same recipe for an image that is read already."""
        return self.model_copy(update={"input": Input()})

    def fingerprint(self) -> str:
        """A short hash of what it does: equal for recipes that give equal results (`about` does not count)."""
        data = {**self.document(), "about": ""}
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def _check_version(document: Mapping[str, Any], source: str) -> None:
    version = document.get("microtome")
    if version is None:
        raise RecipeError(f"{source}: begins with 'microtome: {FORMAT}', which is missing; is this a recipe?")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RecipeError(f"{source}: microtome: {version!r} is not a format number; this version writes {FORMAT}")
    if version > FORMAT:
        raise RecipeError(
            f"{source}: is written in format {version}, newer than this Microtome reads ({FORMAT}): pip install --upgrade microtome"
        )


def _check_keys(mapping: Mapping[Any, Any], known: Sequence[str], place: str) -> None:
    for key in mapping:
        if key not in known:
            raise RecipeError(f"{place}: unknown key {key!r}{did_you_mean(str(key), known)}")


def _step_document(entry: Any, place: str) -> Any:
    """Turn ``otsu`` or ``{otsu: {...}, from: ..., as: ...}`` into the fields of `StepUse`."""
    if isinstance(entry, StepUse):
        return entry
    if isinstance(entry, str):
        entry = {entry: None}
    if not isinstance(entry, Mapping):
        raise RecipeError(f"{place}: a step is a name, or a name with its settings, found {_a(entry)}")
    extras = {key: entry[key] for key in ("from", "as", "over") if key in entry}
    named = [key for key in entry if key not in extras]
    if len(named) != 1:
        raise RecipeError(
            f"{place}: one step an entry, found {', '.join(map(repr, named)) or 'none'}; besides it only from, as and over may stand there"
        )
    name, settings = named[0], entry[named[0]]
    if not isinstance(name, str) or name not in catalogue.places():
        raise RecipeError(f"{place}: unknown step {name!r}{did_you_mean(str(name), catalogue.names())}")
    if settings is not None and not isinstance(settings, Mapping):
        raise RecipeError(f"{place}.{name}: settings are written {{name: value}}, found {_a(settings)}")
    plain = {str(key): list(value) if isinstance(value, tuple) else value for key, value in (settings or {}).items()}
    for key, value in plain.items():
        if isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(item, (list, Mapping)) for item in value)):
            raise RecipeError(f"{place}.{key}: a setting is a number, a word or a list of these, found {value!r}")
    return {"step": name, "settings": plain, **extras}


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    if problem["type"] == "extra_forbidden":
        parent = problem["loc"][0]
        fields = list(Input.model_fields) if parent == "input" else []
        return f"{place}: unknown key{did_you_mean(str(problem['loc'][-1]), fields)}"
    context = problem.get("ctx", {}).get("error")
    return f"{place}: {context or problem['msg']}, found {problem['input']!r}"


def _a(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {value!r}"[:80]


def _shell_step(use: StepUse) -> str:
    settings = ",".join(f"{key}={yaml_text.dump_value(value)}" for key, value in use.settings.items())
    return f"{use.step}:{settings}" if settings else use.step


def _parse_shell_step(text: str) -> tuple[str, dict[str, Any]]:
    name, _, rest = text.partition(":")
    settings: dict[str, Any] = {}
    for part in re.split(r",(?![^\[]*\])", rest) if rest else []:
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise RecipeError(f"--step {text}: {part!r} is not key=value; write for example gaussian:sigma=1")
        settings[key.strip()] = yaml_text.load(value, f"--step {text}")
    return name.strip(), settings
