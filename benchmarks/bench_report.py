"""The report of 5 and of 500 images in a browser: how large, how soon one can work with it, how smooth its table is.

There is no peer that makes such a page, so the table sets each number beside what we promise. Images are 512 x 512 discs,
about a hundred objects each; the page is opened from disk in headless Chromium. Frame times are those of the browser's
animation frames while the table of all objects is scrolled from end to end.

    python benchmarks/bench_report.py [--images 500] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import PIL.Image
from bench_folder import discs
from record import record, versions

from microtome.app.report.build import build_report
from microtome.run.pipeline import run
from microtome.run.recipe import Recipe

PROMISED = {"megabytes": 60.0, "build_seconds": 60.0, "interactive_seconds": 3.0}

SCROLL = """
async () => {
  document.querySelector('#scope input[value="all"]').click();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const grid = document.getElementById("grid"), room = grid.scrollHeight - grid.clientHeight;
  const frames = [], busy = [];
  let last = performance.now();
  for (let k = 0; k <= 240; k++) {
    grid.scrollTop = (room * k) / 240;
    await new Promise((done) => requestAnimationFrame(done));
    const begun = performance.now();
    frames.push(begun - last);
    last = begun;
    await new Promise((done) => { const channel = new MessageChannel(); channel.port1.onmessage = done; channel.port2.postMessage(0); });
    busy.push(performance.now() - begun);
  }
  const rows = Number(grid.getAttribute("aria-rowcount")) - 1, lines = grid.querySelectorAll(".line").length;
  return { rows, lines, frames: frames.slice(2), busy: busy.slice(2) };
}
"""

SORT = """
async () => {
  const times = [];
  for (const head of [...document.querySelectorAll("#grid .head button")].slice(0, 6)) {
    const begun = performance.now();
    head.click();
    times.push(performance.now() - begun);
    await new Promise((done) => requestAnimationFrame(done));
  }
  return times;
}
"""


def make_run(folder: Path, images: int) -> Path:
    """Segment `images` pictures of discs, in ten groups."""
    source = folder / "images"
    source.mkdir(parents=True)
    for number in range(images):
        PIL.Image.fromarray(discs(512, number)).save(source / f"well {number:03d}.png", compress_level=1)
    recipe = Recipe.of(("gaussian", {"sigma": 1.0}), "otsu", "connected_components", ("drop_small", {"min_area": 30}))
    for _ in run(recipe, [source], out=folder / "out", name="discs", group=r"well (\d)"):
        pass
    return folder / "out"


def look(path: Path) -> dict[str, Any]:
    """Open the page and use it."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 950})
        begun = time.perf_counter()
        page.goto(path.as_uri(), wait_until="commit")
        page.wait_for_selector("html[data-shown]", state="attached", timeout=60_000)
        interactive = time.perf_counter() - begun
        page.wait_for_load_state("load")
        loaded = time.perf_counter() - begun
        page.wait_for_timeout(500)
        scrolled = page.evaluate(SCROLL)
        sorted_in = page.evaluate(SORT)
        decoded = page.evaluate("document.querySelectorAll('#cards img[src]').length")
        browser.close()
    frames = sorted(scrolled["frames"])
    return {
        "interactive_seconds": round(interactive, 2),
        "loaded_seconds": round(loaded, 2),
        "table_rows": scrolled["rows"],
        "table_lines_in_page": scrolled["lines"],
        "frame_ms_median": round(statistics.median(frames), 1),
        "frame_ms_99th": round(frames[int(len(frames) * 0.99)], 1),
        "work_ms_a_frame_median": round(statistics.median(scrolled["busy"]), 2),
        "sort_ms_slowest": round(max(sorted_in), 1),
        "thumbnails_decoded": decoded,
    }


def main() -> None:
    """Measure a small and a large run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=int, default=500)
    options.add_argument("--keep", type=Path, help="leave the runs here")
    chosen = options.parse_args()
    found = {}
    for images in (5, chosen.images):
        folder = (chosen.keep or Path(tempfile.mkdtemp())) / str(images)
        try:
            shutil.rmtree(folder, ignore_errors=True)
            out = make_run(folder, images)
            begun = time.perf_counter()
            page = build_report(out)
            seconds = time.perf_counter() - begun
            found[images] = {"build_seconds": round(seconds, 2), "megabytes": round(page.stat().st_size / 1e6, 2), **look(page)}
        finally:
            if not chosen.keep:
                shutil.rmtree(folder, ignore_errors=True)
    print(f"{'':28}" + "".join(f"{f'{images} images':>14}" for images in found) + f"{'promised':>12}")
    for name in next(iter(found.values())):
        print(f"{name:28}" + "".join(f"{row[name]:>14}" for row in found.values()) + f"{PROMISED.get(name, ''):>12}")
    record("report", {"versions": versions(), "runs": {str(images): row for images, row in found.items()}, "promised": PROMISED})


if __name__ == "__main__":
    main()
