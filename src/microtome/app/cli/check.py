"""``microtome check``: what is wrong with labelled images, where, why, and what to do."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from microtome.learn.data.dataset import Dataset
    from microtome.learn.data.doctor.check import Checkup
    from microtome.learn.data.doctor.facts import PairFacts
    from microtome.learn.data.doctor.preview import Preview
    from microtome.learn.data.doctor.summary import Summary
    from microtome.learn.data.problem import Problem

__all__ = ["check"]

_FILES = 5


def check(
    data: Annotated[Path, typer.Argument(help="A folder of labelled images, an annotation file, or a zip.", show_default=False)],
    task: Annotated[
        Literal["semantic", "instance"] | None, typer.Option(help="What the labels are: classes or objects. Left out: what the data says.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="What belongs together: a regular expression, 'folder', or a CSV file.")] = None,
    layout: Annotated[str | None, typer.Option(help="How the data is laid out. Left out: the first layout that fits.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write one page with the pictures.")] = None,
    pictures: Annotated[
        bool,
        typer.Option("--pictures", help="Write a PNG of what a network will see: windows after augmentation. Beside the page, or here."),
    ] = False,
    augment: Annotated[
        Path | None, typer.Option(help="YAML list of augmentation steps for --pictures. Left out: those training begins with.")
    ] = None,
    fix: Annotated[Path | None, typer.Option(help="Write a mended copy to this new folder, with fixes.json.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read every image and mask; say what was found and what is wrong. Exit code 1 where there are problems."""
    from microtome.core.errors import InputError, RecipeError
    from microtome.core.events import collect_warnings
    from microtome.learn.data.doctor.check import judge
    from microtome.learn.data.find import opened

    if augment is not None and not pictures:
        raise RecipeError("--augment says what --pictures shows; give both")
    steps = None if augment is None else _steps(augment)
    manifest = Path(group) if group and group.lower().endswith(".csv") else None
    options = {"kind": task, "layout": layout, "manifest": manifest, "group": None if manifest else group, "skip_bad": True}
    record: dict[str, Any] | None = None
    preview: Preview | None = None
    unseen: InputError | None = None
    with collect_warnings() as said, opened(data, **options) as dataset:
        checkup = judge(dataset, _followed(dataset))
        if fix is not None:
            from microtome.learn.data.doctor.fix import fix as write_fixed

            record = write_fixed(checkup, fix)
        if pictures:
            from microtome.learn.data.doctor.preview import preview as look_at

            try:
                preview = look_at(dataset, steps)
            except InputError as error:
                unseen = error  # raised when what the check found is told
        if html is not None:
            from microtome.app.report.check import build_check_page

            build_check_page(checkup, html, said=said, preview=preview)
    sheet = None if preview is None else _write_sheet(preview, data, html)
    if as_json:
        print(json.dumps({**_as_json(checkup, said, record), "pictures": None if sheet is None else str(sheet)}))
    else:
        _print(checkup, data, fix, record)
        if preview is not None:
            print(f"\n{sheet}: {preview.about} A row each of {', '.join(row.name for row in preview.rows)}")
            for message in preview.left_out:
                print(f"note    not shown: {message}", file=sys.stderr)
        for message in dict.fromkeys(said):
            print(f"note    {message}", file=sys.stderr)
    if unseen is not None:
        raise unseen
    if checkup.problems:
        raise typer.Exit(1)


def _steps(path: Path) -> Any:
    from microtome.core.errors import InputError
    from microtome.learn.augment.chain import chain_of
    from microtome.run.yaml_text import load

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}; --augment takes a YAML file with a list of steps") from None
    return chain_of(load(text, str(path)), place=str(path))


def _write_sheet(preview: Preview, data: Path, html: Path | None) -> Path:
    """Save the pictures beside the page under its name, or here under the data's."""
    import PIL.Image

    from microtome.io.whole import whole_file

    name = data.resolve().stem if data.is_file() else data.resolve().name
    path = Path(f"{name}-pictures.png") if html is None else html.with_suffix(".png")
    with whole_file(path) as temporary:
        PIL.Image.fromarray(preview.sheet()).save(temporary, "PNG")
    return path


def _followed(dataset: Dataset) -> Iterator[PairFacts]:
    """The facts of each pair, with a bar on a terminal."""
    from microtome.app.cli.progress import Follower
    from microtome.core.events import Progress, Started
    from microtome.learn.data.doctor.check import examine

    start = time.monotonic()
    with Follower() as follower:
        follower.see(Started(len(dataset)))
        for done, facts in enumerate(examine(dataset), 1):
            follower.see(Progress(done, len(dataset), time.monotonic() - start))
            yield facts


def _as_json(checkup: Checkup, said: Sequence[str], record: dict[str, Any] | None) -> dict[str, Any]:
    dataset = checkup.survey.dataset
    return {
        "data": str(dataset.root),
        "layout": dataset.layout,
        "task": dataset.kind,
        "summary": checkup.summary.as_dict(),
        "problems": [asdict(problem) for problem in checkup.problems],
        "notes": [asdict(note) for note in checkup.notes],
        "warnings": list(dict.fromkeys(said)),
        "fixes": record,
    }


def _print(checkup: Checkup, data: Path, fix: Path | None, record: dict[str, Any] | None) -> None:
    from microtome.learn.data.doctor.words import count

    dataset = checkup.survey.dataset
    what = "classes" if dataset.kind == "semantic" else "objects"
    print(f"{data}: {count(checkup.summary.images, 'image')}, {checkup.summary.labelled:,} labelled ({what}); {dataset.layout}")
    for name, words in _summary_lines(checkup.summary):
        print(f"  {name:<9}{words}")
    for title, findings in (("problems", checkup.problems), ("notes", checkup.notes)):
        if findings:
            print(f"\n{title.upper()}")
        for kind, some in groupby(findings, key=lambda finding: finding.kind):
            _print_kind(kind, list(some))
    files = len({problem.file for problem in checkup.problems})
    print(f"\n{count(len(checkup.problems), 'problem')} in {count(files, 'file')}, {count(len(checkup.notes), 'note')}")
    mendable = sum(problem.fixable for problem in checkup.problems)
    if record is not None:
        print(
            f"{count(len(record['files']), 'mask')} mended in {fix}, {count(len(record['left']), 'problem')} left; "
            f"{fix}/fixes.json says what was changed"
        )
    elif mendable:
        print(f"{mendable:,} of them can be mended: microtome check {data} --fix NEW_FOLDER")


def _print_kind(kind: str, findings: list[Problem]) -> None:
    first = findings[0]
    print(f"\n{kind} ({len(findings):,})")
    print(f"  likely cause: {first.cause}")
    print(f"  what to do: {first.remedy}")
    for finding in findings[:_FILES]:
        places = ", ".join("(" + ", ".join(map(str, place)) + ")" for place in finding.places[:2])
        others = f" [{', '.join(finding.others[:2])}]" if finding.others else ""
        print(f"  {finding.file or 'the set'}: {finding.message}{f', at {places}' if places else ''}{others}")
    if len(findings) > _FILES:
        print(f"  and {len(findings) - _FILES:,} more")


def _summary_lines(summary: Summary) -> Iterator[tuple[str, str]]:
    for name, counts in (("sizes", summary.sizes), ("types", summary.kinds), ("spacing", summary.spacing), ("splits", summary.splits)):
        if counts:
            yield name, _counted(counts)
    if summary.groups:
        yield "groups", f"{summary.groups:,}"
    if summary.classes:
        yield "classes", ", ".join(f"{one.value} {_shown(one)} {one.share:.2%}".replace("%", " %") for one in summary.classes[:24])
    if summary.objects is not None:
        found = summary.objects
        low, middle, high = found.per_image
        yield "objects", f"{found.count:,}: {middle:g} an image ({low:g} to {high:g}), {found.touching:,} touch another"
        yield "areas", f"median {found.areas[3]:g} pixels; 5 % below {found.areas[1]:g}, 5 % above {found.areas[5]:g}, " \
                       f"all from {found.areas[0]:g} to {found.areas[6]:g}"  # fmt: skip
        if found.classes:
            yield "classes", ", ".join(f"{name} {number:,}" for name, number in found.classes.items())


def _shown(one: Any) -> str:
    return "" if one.name == str(one.value) else one.name


def _counted(counts: dict[str, int], most: int = 4) -> str:
    shown = ", ".join(f"{words} ({number:,})" for words, number in list(counts.items())[:most])
    return shown + (f", and {len(counts) - most} more" if len(counts) > most else "")
