"""Do what docs/learn/your-first-model.md tells, on twelve images of dsb2018_nuclei (CC0), and draw its pictures.

Run it from the repository's root; it needs MICROTOME_DATA and chromium, and takes about three minutes:
python docs/images/first_model.py FOLDER
"""

import csv
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

WIDTH = 1100
BESIDE = Path(__file__).parent
SETS = (("cells", "cell", 0, 12), ("new", "new", 1, 6))
COMMANDS = (
    "check cells --task instance --html check.html --pictures",
    "train cells --task instance --out first --time-budget 2m",
    "segment new/images --model first/model.zip --out found --report",
    "evaluate found new --out scores",
)


def choose(data: Path, folder: Path) -> None:
    """Images of 256 x 256 pixels with ten nuclei or more, one a group, spread over the set."""
    with (data / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "fluorescence" and (row["height"], row["width"]) == ("256", "256")]
    groups = {row["group"]: row for row in reversed(rows) if row["split"] == "train" and int(row["objects"]) >= 10}
    first = sorted(groups.values(), key=rows.index)
    for name, stem, begin, count in SETS:
        for number, row in enumerate(first[begin :: max(2, len(first) // 12)][:count], 1):
            for part, ours in (("images", "images"), ("labels", "masks")):
                to = folder / name / ours / f"{stem}_{number:02d}.png"
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(data / "fluorescence" / "train" / part / row["file"], to)


def save(picture: Image.Image, name: str) -> None:
    """Small: a picture of a page needs few colours."""
    picture.convert("RGB").quantize(256, kmeans=1).save(BESIDE / f"first-model-{name}.png", optimize=True)
    print(f"first-model-{name}.png", picture.size, f"{(BESIDE / f'first-model-{name}.png').stat().st_size / 1e3:.0f} kB")


def sections(page, *headings: str) -> Image.Image:
    """The part of an open page from the first heading to the second."""
    top, bottom = (page.get_by_role("heading", name=heading, exact=True).bounding_box()["y"] for heading in headings)
    whole = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    return whole.crop((0, int(top) - 24, WIDTH, int(bottom) - 40))


folder = Path(sys.argv[1])
if not folder.exists():
    choose(Path(os.environ["MICROTOME_DATA"]) / "dsb2018_nuclei", folder)
    for command in COMMANDS:
        print("$ microtome", command, flush=True)
        subprocess.run([Path(sys.executable).with_name("microtome"), *command.split()], cwd=folder, check=True)

sheet = Image.open(folder / "check.png")
row = sheet.height // 8
save(sheet.crop((0, 4 * row, sheet.width, 5 * row)).resize((WIDTH, WIDTH * row // sheet.width)), "check")
chromium = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": WIDTH, "height": 3000})
    page.goto((folder / "first" / "index.html").resolve().as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    save(sections(page, "Curves", "Scores"), "run")
    page.goto((folder / "scores" / "evaluate.html").resolve().as_uri())
    page.wait_for_timeout(1000)
    save(sections(page, "What became of the objects", "Compared"), "scores")
    browser.close()
