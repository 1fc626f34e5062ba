"""What lies on disk after a run: masks, tables and ``run.json``. Files appear whole or not at all."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

import microtome
from microtome.core.errors import InputError, RecipeError, RunError
from microtome.core.events import warn
from microtome.core.explain import Explanation
from microtome.core.objects import Object, Objects
from microtome.core.raster import Image, InstanceMap, ScoreMap, SemanticMap
from microtome.core.result import Result
from microtome.core.table import Table, rows_to_csv
from microtome.core.units import METRES
from microtome.io.find import stem_of
from microtome.io.whole import whole_file
from microtome.run import journal

if TYPE_CHECKING:
    from microtome.io.masks import Family

__all__ = ["EXPORTS", "SAVES", "describe", "is_ours", "prepare", "save", "write_run", "write_tables"]

SAVES = ("colour", "scores")
EXPORTS = ("geojson", "imagej")
_OURS = ("objects.csv", "images.csv", "groups.csv", "run.json", "report.html", journal.JOURNAL)
_FOLDERS = ("masks", "colour", "scores", "annotations", "explain")
_PACKAGES = ("numpy", "scipy", "numba", "opencv-python-headless", "scikit-image", "connected-components-3d", "edt", "pillow", "tifffile")


def prepare(out: Path, *, overwrite: bool, resume: bool) -> None:
    """Make the output folder, or refuse one that holds an earlier run.

    Raises
    ------
    RecipeError
        If outputs exist and neither `overwrite` nor `resume` was asked for.
    RunError
        If the folder cannot be made or written to.
    """
    if out.exists() and not out.is_dir():
        raise RecipeError(f"{out}: is a file; name a folder for the results")
    there = [name for name in (*_OURS, *_FOLDERS) if (out / name).exists()]
    if there and not (overwrite or resume):
        raise RecipeError(
            f"{out}: holds an earlier run ({', '.join(there)}); add --resume to go on with it, --overwrite to replace it,"
            " or name another folder"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
        if overwrite and not resume:
            _remove_earlier(out)
        (out / "report.html").unlink(missing_ok=True)  # it would show what was there before
        remove_partial(out)
    except OSError as error:
        raise RunError(f"{out}: the output folder cannot be written: {error.strerror}; choose another with --out") from error


def is_ours(out: Path, path: Path) -> bool:
    """Whether a file lies where a run writes: what came out is not to be read in again."""
    place = path.resolve()
    return any(place.is_relative_to((out / folder).resolve()) for folder in _FOLDERS)


def _remove_earlier(out: Path) -> None:
    """Take away what an earlier run wrote, and nothing else: its journal says what that was."""
    for _, result in journal.read(out):
        for file in (*result.files.values(), *result.record.get("extras", ())):
            path = (out / file).resolve()
            if path.is_relative_to(out.resolve()):
                path.unlink(missing_ok=True)
    for name in _OURS:
        (out / name).unlink(missing_ok=True)


def remove_partial(out: Path) -> None:
    """Take away the temporary files of a worker that was killed."""
    from microtome.io.whole import TEMPORARY_PATTERN

    for folder in (out, *(out / name for name in _FOLDERS)):
        for path in folder.rglob(TEMPORARY_PATTERN) if folder != out else folder.glob(TEMPORARY_PATTERN):
            path.unlink(missing_ok=True)


def save(out: Path, result: Result, *, extras: Sequence[str] = ()) -> tuple[dict[str, str], list[str]]:
    """Write the masks of one image, and what else was asked for.

    Returns
    -------
    files, others
        The mask's file by output name, and every other file, relative to `out`.
    """
    from microtome.io.masks import write_mask

    stem = Path(stem_of(result.name))
    files, others = {}, []
    for output, mask in result.masks.items():
        ending = f".{output}" if len(result.masks) > 1 else ""
        files[output] = _relative(out, write_mask(mask, _under(out, "masks", stem, ending), family=_family(result)))
        if "colour" in extras and _is_flat(mask, "--save colour"):
            others.append(_relative(out, write_mask(mask, _under(out, "colour", stem, ending), form="colour")))
        for form in EXPORTS:
            if form in extras and _is_flat(mask, f"--export {form}") and _has_objects(mask, form):
                others.append(_relative(out, _export(mask, _under(out, "annotations", stem, ending), form)))
    if "scores" in extras:
        others += [_relative(out, path) for path in _save_scores(_under(out, "scores", stem, ""), result.scores)]
    if result.explained:
        others.append(_relative(out, _save_explained(_under(out, "explain", stem, ".npz"), result.explained)))
    return files, others


def _family(result: Result) -> Family:
    name = result.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return "nifti"
    return "tiff" if name.endswith((".tif", ".tiff")) else "png"


def _is_flat(mask: SemanticMap | InstanceMap, wish: str) -> bool:
    if mask.ndim == 3:
        warn(f"{wish}: is for flat masks, and this is a volume; it was left out")
    return mask.ndim == 2


def _has_objects(mask: SemanticMap | InstanceMap, form: str) -> TypeGuard[InstanceMap]:
    if not isinstance(mask, InstanceMap):
        warn(
            f"--export {form}: writes outlines of objects, and this recipe gives classes"
            " (end it with connected_components); it was left out"
        )
    return isinstance(mask, InstanceMap)


def _under(out: Path, folder: str, stem: Path, ending: str) -> Path:
    if ".." in stem.parts or stem.is_absolute():
        raise InputError(f"{stem}: a name that leads out of the results folder; give the file itself")
    return out / folder / stem.parent / (stem.name + ending)


def _relative(out: Path, path: Path) -> str:
    return path.relative_to(out).as_posix()


def _export(mask: InstanceMap, stem: Path, form: str) -> Path:
    from microtome.io.annotations import write

    path = stem.with_name(stem.name + {"geojson": ".geojson", "imagej": ".zip"}[form])
    account = write(path, [_outlined(mask)], format=form)
    for loss, count in account.lost.items():
        warn(f"--export {form}: {count} x {loss}")
    return path


def _outlined(mask: InstanceMap) -> Objects:
    """The objects with their outlines along pixel edges, all traced in one pass."""
    from microtome.core.kernels.outlines import trace

    outlines = trace(mask)
    items = tuple(
        Object(number, polygons, class_name=outlines.class_names.get(number, ""), score=mask.object_score.get(number))
        for number, polygons in outlines.objects.items()
    )
    return Objects(outlines.shape, items)


def _save_scores(stem: Path, scores: Mapping[str, ScoreMap]) -> list[Path]:
    """Each score map as a TIFF of float32, a channel a layer; and, of probabilities that sum to one, the greatest of each pixel."""
    from microtome.io.images import write

    if not scores:
        warn("--save scores: no step of this recipe gives scores; it was left out")
    paths = []
    for name, value in scores.items():
        ending = f".{name}" if len(scores) > 1 else ""
        pixels = value.pixels.astype(np.float32, copy=False)
        geometry = value.geometry()
        paths.append(stem.with_name(f"{stem.name}{ending}.tif"))
        write(Image(pixels, **{**geometry, "axes": value.axes}, channels=tuple(value.layers) if value.has_channels else ()), paths[-1])
        if value.has_channels and np.abs(pixels.sum(axis=-1) - 1).max(initial=0) < 1e-3 and pixels.min(initial=0) >= 0:
            paths.append(stem.with_name(f"{stem.name}{ending}.confidence.tif"))
            write(Image(pixels.max(axis=-1), **geometry), paths[-1])
    return paths


def _save_explained(path: Path, explained: Sequence[Explanation]) -> Path:
    arrays: dict[str, Any] = {}
    meta = []
    for item in explained:
        entry: dict[str, Any] = {"step": item.step, "kind": item.kind, "about": item.about, "arrays": {}, "values": {}}
        for field, value in item.data.items():
            if isinstance(value, np.ndarray):
                key = f"a{len(arrays)}"
                arrays[key] = value
                entry["arrays"][field] = key
            else:
                entry["values"][field] = value
        meta.append(entry)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, meta=np.array(json.dumps(meta, default=_plain)), **arrays)
    return path


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)


def describe(result: Result, *, source: str, group: str, sha256: str, seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """The image's row of ``images.csv`` and its entry in ``run.json``."""
    row: dict[str, Any] = {"image": result.name, "group": group, "status": "done"}
    outputs = {}
    for output, mask in result.masks.items():
        prefix = f"{output}_" if len(result.masks) > 1 else ""
        row |= {f"{prefix}{name}": value for name, value in _summary(mask, _of_output(result.objects, output)).items()}
        outputs[output] = {
            "file": result.files.get(output, ""),
            "kind": "instance" if isinstance(mask, InstanceMap) else "semantic",
            "count": len(mask) if isinstance(mask, InstanceMap) else None,
            "classes": [{"value": entry.value, "name": entry.name, "role": entry.role} for entry in mask.classes],
        }
    row |= {"seconds": round(seconds, 4), "error": ""}
    image = result.image
    record = {"name": result.name, "source": source, "group": group, "sha256": sha256, "status": "done", "seconds": round(seconds, 4),
              "shape": list(image.pixels.shape) if image else [], "axes": image.axes if image else "",
              "spacing": list(image.spacing) if image and image.spacing else None,
              "unit": image.unit if image else "px", "outputs": outputs}  # fmt: skip
    return row, record


def _of_output(table: Table, output: str) -> dict[str, np.ndarray[Any, Any]]:
    if "output" not in table.columns:
        return {}
    chosen = table.columns["output"] == output
    return {name: values[chosen] for name, values in table.columns.items()}


_OF_ONE_IMAGE = ("count_low", "count_high")  # the mean of intervals is not the interval of a mean
_MEDIANS = ("area_", "volume_", "equivalent_diameter_", "mean_intensity")


def _summary(mask: SemanticMap | InstanceMap, columns: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, Any]:
    """Count, density, area fraction and medians: what one image amounts to."""
    inside = mask.pixels != 0 if isinstance(mask, InstanceMap) else mask.foreground()
    summary: dict[str, Any] = {}
    if isinstance(mask, InstanceMap):
        summary["count"] = len(mask)
        summary |= _density(mask)
    word = "volume_fraction" if mask.ndim == 3 else "area_fraction"
    summary[word] = float(np.count_nonzero(inside) / inside.size)
    if isinstance(mask, InstanceMap):
        summary |= {f"median_{name}": float(np.median(values)) if len(values) else float("nan")
                    for name, values in columns.items() if name.startswith(_MEDIANS)}  # fmt: skip
    return summary


def _density(mask: InstanceMap) -> dict[str, float]:
    if mask.spacing is None or mask.unit not in METRES:
        return {"density_per_mpx": len(mask) / (mask.pixels.size / 1e6)}
    size_mm = float(np.prod(mask.spacing)) * (METRES[mask.unit] / 1e-3) ** mask.ndim * mask.pixels.size
    return {f"density_per_mm{mask.ndim}": len(mask) / size_mm}


def write_tables(out: Path, results: Sequence[Result], failures: Sequence[Mapping[str, Any]], *, grouped: bool) -> None:
    """Write ``objects.csv``, ``images.csv`` and, for named groups, ``groups.csv``, in the order of the inputs."""
    objects = Table.concat(_with_place(result) for result in results)
    _write_text(out / "objects.csv", objects.to_csv() if objects.columns else "image,group,output,label\n")
    rows = [*(result.summary for result in results), *failures]
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in ("seconds", "error")]
    _write_text(out / "images.csv", rows_to_csv([*names, "seconds", "error"], rows))
    if grouped:
        _write_text(out / "groups.csv", _groups(results))
    else:
        (out / "groups.csv").unlink(missing_ok=True)


def _with_place(result: Result) -> Table:
    return result.objects.with_front(image=result.name, group=str(result.record.get("group", "")))


def _groups(results: Sequence[Result]) -> str:
    """One row a group: images, and for every number of ``images.csv`` its mean and standard deviation over images."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for result in results:
        groups.setdefault(str(result.record.get("group", "")), []).append(result.summary)
    rows = []
    for group, members in sorted(groups.items()):
        row: dict[str, Any] = {"group": group, "images": len(members)}
        for name in members[0]:
            values = [member.get(name) for member in members]
            numbers = np.array([v for v in values if isinstance(v, (int, float)) and v == v], float)
            if name in ("seconds", "error", "image", "group", "status") or name.endswith(_OF_ONE_IMAGE) or not len(numbers):
                continue
            row |= {"count": int(numbers.sum())} if name == "count" else {}
            row[f"mean_{name}"] = float(numbers.mean())
            row[f"std_{name}"] = float(numbers.std(ddof=1)) if len(numbers) > 1 else float("nan")
        rows.append(row)
    return rows_to_csv(dict.fromkeys(name for row in rows for name in row), rows)


def write_run(out: Path, document: Mapping[str, Any]) -> None:
    """Write ``run.json``."""
    _write_text(out / "run.json", json.dumps(document, indent=1, ensure_ascii=False, default=_plain) + "\n")


def _write_text(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")  # names may hold bytes that are no text


def versions() -> dict[str, str]:
    """The versions of what computes results."""
    found = {"microtome": microtome.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    return found


def machine() -> dict[str, Any]:
    """The kind of machine it ran on."""
    return {"python": sys.version.split()[0], "platform": platform.platform(), "cores": os.cpu_count()}


def clashes(names: Iterable[str]) -> dict[str, list[str]]:
    """Inputs that would write the same mask: ``a.png`` and ``a.tif``, or ``A.png`` and ``a.png`` on some disks."""
    by_output: dict[str, list[str]] = {}
    for name in names:
        by_output.setdefault(stem_of(name).casefold(), []).append(name)
    return {stem: same for stem, same in by_output.items() if len(same) > 1}
