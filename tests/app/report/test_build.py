"""The page as a file: self-contained, escaped, whole or absent, honest about what it could not show."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile
from numpy.typing import NDArray

from microtome.app.report import build as module
from microtome.app.report.build import build_report
from microtome.core.errors import InputError
from microtome.core.kernels.bands import set_threads, threads
from microtome.core.raster import InstanceMap


class Reader(HTMLParser):
    """What a browser would find: tags with their attributes, and the text of data elements."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: dict[str, str] = {}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.tags[-1] if self.tags else ("", {})
        if tag == "script" and attributes.get("id"):
            self.data[str(attributes["id"])] = self.data.get(str(attributes["id"]), "") + data
        else:
            self.text += data


def page_of(out: Path) -> Reader:
    return Reader(build_report(out).read_text(encoding="utf-8"))


def notes_of(out: Path) -> str:
    return " ".join(json.loads(page_of(out).data["image-0"])["notes"])


@pytest.fixture
def one(tmp_path: Path, coins: NDArray[np.uint8], labelled_coins: NDArray[np.int32], make_run: Any, make_shot: Any) -> Path:
    """A run of one image."""
    return make_run(tmp_path, [make_shot("coins.png", coins, {"mask": InstanceMap(labelled_coins)})])


def test_the_page_needs_no_other_file(run_of_five: Path) -> None:
    text = build_report(run_of_five).read_text(encoding="utf-8")
    page = Reader(text)
    links = [attributes[name] for _, attributes in page.tags for name in ("src", "href") if attributes.get(name)]
    assert all(str(link).startswith(("#", "data:,")) for link in links)
    assert "@import" not in text
    assert "url(" not in text
    policy = next(attributes["content"] for _, attributes in page.tags if attributes.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in str(policy)


def test_text_of_users_is_text(run_of_five: Path) -> None:
    page = page_of(run_of_five)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == 3 + 2 * 5
    assert "b" not in tags
    assert "img" not in tags
    assert "<img src=x onerror=alert(4)> is no image" in page.text
    assert "</script><script>alert(3)</script> was assumed" in page.text
    assert json.loads(page.data["run-data"])["images"][0]["name"] == "plate1/<img src=x onerror=alert(1)>.png"


def test_same_run_same_page(run_of_five: Path) -> None:
    before = threads()
    pages = []
    for count in (1, 2):
        set_threads(count)
        pages.append(build_report(run_of_five).read_bytes())
    set_threads(before)
    assert pages[0] == pages[1]


def test_a_run_without_images_has_a_page(tmp_path: Path, make_run: Any) -> None:
    assert "This run had no images." in page_of(make_run(tmp_path, [])).text


def test_a_moved_source_is_told(one: Path) -> None:
    (one.parent / "in" / "coins.png").unlink()
    assert "it is no longer at" in notes_of(one)
    assert json.loads(page_of(one).data["image-0"])["picture"] is None
    assert page_of(one).data["thumbnail-0"]


def test_a_changed_source_is_told_and_not_shown(one: Path, coins: NDArray[np.uint8]) -> None:
    PIL.Image.fromarray(coins[::-1]).save(one.parent / "in" / "coins.png")
    assert "has changed since the run" in notes_of(one)
    assert json.loads(page_of(one).data["image-0"])["picture"] is None


def test_a_missing_mask_is_told(one: Path) -> None:
    next((one / "masks").iterdir()).unlink()
    assert "The mask mask cannot be shown" in notes_of(one)


def test_a_missing_explanation_is_told(tmp_path: Path, coins: NDArray[np.uint8], make_run: Any, make_shot: Any) -> None:
    assert "The explanation cannot be shown" in notes_of(make_run(tmp_path, [make_shot("a.png", coins, more={"explain": "explain/a.npz"})]))


def test_pixels_given_in_memory_are_told(tmp_path: Path, coins: NDArray[np.uint8], make_run: Any, make_shot: Any) -> None:
    assert "was given pixels, not a file" in notes_of(make_run(tmp_path, [make_shot("a.png", coins, more={"source": ""})]))


def test_a_volume_shows_its_middle_plane_and_the_recipes_channel(tmp_path: Path, make_run: Any, make_shot: Any) -> None:
    volume = np.zeros((5, 2, 30, 40), np.uint16)
    volume[2, 1, 5:9] = 1000
    labels = np.zeros((5, 30, 40), np.int32)
    labels[2, 5:9] = 3
    shot = make_shot("v.tif", np.zeros((30, 40), np.uint8), {"mask": InstanceMap(labels, axes="zyx")}, more={"sha256": ""})
    out = make_run(tmp_path, [shot], recipe={"input": {"channel": 1}, "steps": ["otsu"]})
    tifffile.imwrite(tmp_path / "in" / "v.tif", volume, imagej=True, metadata={"axes": "ZCYX"})
    block = json.loads(page_of(out).data["image-0"])
    assert block["notes"][0] == "Plane 2 of 0 to 4, the middle of the volume."
    assert block["masks"]["mask"]["ids"] == [3]
    assert block["picture"]


def test_pages_stay_below_their_limit(tmp_path: Path, make_run: Any, make_shot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (400, 400), np.uint8)
    labels = np.arange(160_000, dtype=np.int32).reshape(400, 400) // 5
    out = make_run(tmp_path, [make_shot(f"{k}.png", noise, {"mask": InstanceMap(labels)}) for k in range(3)])
    (out / "objects.csv").write_text("image,group,output,label\n")
    monkeypatch.setattr(module, "LARGEST_PAGE", 150_000)
    page = page_of(out)
    drawn = sum(len(text) for name, text in page.data.items() if name.startswith(("image-", "thumbnail-")))
    assert 50_000 < drawn <= 150_000


def test_no_run_no_page(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"run\.json: there is no such file"):
        build_report(tmp_path)
    for text in ("[]", "{}", "{"):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(InputError, match=r"run\.json: is not the record of a run"):
            build_report(tmp_path)


def test_an_error_half_way_leaves_no_page(one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "blocks_of", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_report(one)
    assert sorted(path.name for path in one.iterdir() if "report" in path.name or path.name.startswith(".")) == []


def test_the_script_cannot_end_itself() -> None:
    script = module._joined(module._SCRIPTS)
    assert not re.search(r"</script|<!--", script)
    assert "innerHTML" not in script
