"""What mkdocs calls while it builds: make the pages of the gallery, of the learning scripts, of the steps and commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import commands  # the files beside this one
import definitions
import scripts
import steps
import training
from mkdocs.structure.files import File, Files

from microtome.run import catalogue

DOCS = Path(__file__).parents[1]
FOLDERS = {
    "prepare": "Prepare",
    "segment": "Segment",
    "steps": "Networks",
    "semantic": "From scores to classes",
    "instance": "From scores to objects",
    "refine": "Refine",
}


def on_config(config: Any) -> Any:
    """Add the made pages to the navigation."""
    for folder, name in FOLDERS.items():
        pages = [f"gallery/{folder}/{path.stem}.md" for path in _gallery(folder)]
        _section(config.nav, "Gallery").append({name: pages})
    _section(_section(config.nav, "About"), "Decisions").extend(f"decisions/{path.name}" for path in _decisions())
    _section(_section(config.nav, "Reference"), "Steps").extend({name: f"reference/steps/{name}.md"} for name in catalogue.names())
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the made pages and their pictures to the site."""
    for path in (*sorted((DOCS / "learn").glob("*.py")), *(path for folder in FOLDERS for path in _gallery(folder))):
        place = path.relative_to(DOCS).parent.as_posix()
        page = scripts.run(path)
        _add(files, config, f"{place}/{path.stem.replace('_', '-') if place == 'learn' else path.stem}.md", page.text)
        for name, picture in page.figures.items():
            _add(files, config, f"{place}/{name}", picture)
    for name in catalogue.names():
        _add(files, config, f"reference/steps/{name}.md", steps.page(catalogue.load(name), _example(name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in the tables and lists that follow from the code."""
    for marker, table in TABLES.items():
        if marker in markdown:
            markdown = markdown.replace(marker, table())
    return markdown


def _decisions() -> list[Path]:
    return sorted((DOCS / "decisions").glob("[0-9]*.md"))


def _decision_list() -> str:
    return "\n".join(f"- [{_heading(path)}]({path.name})" for path in _decisions())


def _step_list() -> str:
    return steps.table([(catalogue.load(name), f"{name}.md") for name in catalogue.names()])


def _heading(path: Path) -> str:
    return path.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ").replace(". ", "\\. ", 1)


def _gallery(folder: str) -> list[Path]:
    return sorted((DOCS / "gallery" / folder).glob("*.py"))


def _gallery_list() -> str:
    lines = []
    for folder, name in FOLDERS.items():
        lines += [f"## {name}", ""]
        lines += [f"- [{scripts.title(path)[0]}]({folder}/{path.stem}.md)" for path in _gallery(folder)]
        lines += [""]
    return "\n".join(lines)


def _example(step: str) -> str | None:
    found = next((path for folder in FOLDERS for path in _gallery(folder) if path.stem == step), None)
    return f"../../gallery/{found.parent.name}/{step}.md" if found else None


def _section(nav: list[Any], name: str) -> list[Any]:
    return next(entry[name] for entry in nav if isinstance(entry, dict) and name in entry)


def _add(files: Files, config: Any, place: str, content: str | bytes) -> None:
    files.append(File.generated(config, place, content=content))


TABLES = {
    "<!-- steps -->": _step_list,
    "<!-- gallery -->": _gallery_list,
    "<!-- decisions -->": _decision_list,
    "<!-- commands -->": commands.page,
    "<!-- measurements -->": definitions.measurements,
    "<!-- metrics -->": definitions.metrics,
    **training.TABLES,
}
