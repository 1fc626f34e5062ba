"""The loader: the same batches whatever carries them, resumable, and honest about what went wrong."""

from __future__ import annotations

import functools
import importlib
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError, RecipeError, RunError
from microtome.core.events import collect_warnings
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.result import Sample
from microtome.io.images import write
from microtome.learn.augment.chain import apply
from microtome.learn.augment.example import example_of
from microtome.learn.data import carriers
from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import load, samples
from microtome.learn.data.loader import Loader
from microtome.learn.data.windows import Sampling, Survey, plan, survey_of
from microtome.learn.data.worker import see

CHAIN = ["flips", "affine", "elastic", "gamma", "gaussian_noise"]


@pytest.fixture
def discs(disc_folder):
    with collect_warnings():
        return find_dataset(disc_folder, kind="instance")


@pytest.fixture
def encoders(monkeypatch):
    """A user's module, on a path that worker processes have too."""
    folder = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")]))
    return importlib.import_module("encoders")


def taken(loader, epoch=0, first=0):
    return [(batch.image.tobytes(), batch.objects.tobytes(), batch.names, batch.windows) for batch in loader.epoch(epoch, first=first)]


def test_an_image_that_is_not_kept_is_read_once_a_batch(discs):
    pairs, reads = list(samples(discs))[:2], []

    def prepare(sample):
        reads.append(sample.name)
        return sample

    with Loader(pairs, shape=(16, 16), batch=8, sampling=Sampling(windows=24), memory=0, ahead=0, prepare=prepare) as loader:
        _ = loader.surveys
        reads.clear()
        assert len(list(loader.epoch(0))) == 3
    assert len(reads) <= 3 * 2


def test_any_carrier_gives_the_same_batches(discs):
    """In this process, in worker processes and in threads over samples in memory."""
    options = {"shape": (32, 32), "batch": 5, "augment": CHAIN, "seed": 3, "mix": ["copy_paste"]}
    with Loader(discs, **options) as alone:
        expected = taken(alone)
    with Loader(discs, workers=2, **options) as processes:
        assert taken(processes) == expected
        assert taken(processes, first=2) == expected[2:]
        assert taken(processes, epoch=1) != expected
    in_memory = list(samples(discs))
    for workers, ahead, data in ((0, 0, in_memory), (3, 2, in_memory), (2, 9, (sample for sample in in_memory)), (0, 0, discs)):
        with Loader(data, workers=workers, ahead=ahead, **options) as loader:
            assert taken(loader) == expected


def test_little_shared_memory_gives_the_same(discs, encoders, monkeypatch):
    """Two images find room there; each worker reads the others for itself."""
    free = 50_000
    options = {"shape": (32, 32), "batch": 5, "augment": CHAIN, "encode": encoders.words}
    with Loader(discs, **options) as alone:
        expected = taken(alone)
        words = [batch.targets["word"].tolist() for batch in alone.epoch(0)]
    monkeypatch.setattr(carriers, "room", lambda: 2 * free)
    with Loader(discs, workers=2, **options) as loader:
        assert taken(loader) == expected
        assert [kept.size for kept in loader._carrier._kept.values()] == [64 * 64 * 5] * 2
        assert [batch.targets["word"].tolist() for batch in loader.epoch(0)] == words


def test_no_image_is_read_twice_where_all_have_room(discs, encoders, tmp_path):
    names = sorted(entry.name for entry in discs)
    for workers, ahead in ((2, 0), (0, 2), (0, 0)):
        log = tmp_path / f"{workers}{ahead}"
        prepare = functools.partial(encoders.noted, log=log)
        with Loader(discs, shape=(24, 24), batch=2, workers=workers, ahead=ahead, prepare=prepare) as loader:
            for epoch in range(2):
                for _ in loader.epoch(epoch):
                    pass
        assert sorted(log.read_text().split("\n")[:-1]) == names
    with Loader(discs, shape=(24, 24), batch=2, memory=0, prepare=prepare) as loader:
        assert len(list(loader.epoch(0))) > 0
    assert len(log.read_text().split()) > 2 * len(names)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_that_was_left_does_not_disturb_the_next(discs, workers):
    """Batches that are still being made when the epoch is left must not be written over those of the next."""
    with Loader(discs, shape=(32, 32), batch=2, augment=CHAIN, workers=workers) as loader:
        expected = taken(loader)
        for _ in range(3):
            left = loader.epoch(1)
            next(left)
            left.close()
            assert taken(loader) == expected


@pytest.mark.parametrize("mix", [[], ["cutmix", "copy_paste"]])
def test_processes_share_every_batch(discs, mix):
    options = {"shape": (24, 24), "batch": 6, "augment": CHAIN, "mix": mix, "sampling": Sampling(windows=23)}
    with Loader(discs, **options) as loader:
        whole = list(loader.epoch(2))
        for count in (1, 2, 3):
            parts = [list(loader.epoch(2, share=(rank, count))) for rank in range(count)]
            assert {len(part) for part in parts} == {loader.steps(2, share=(0, count))} == {4}
            for number, batch in enumerate(whole):
                ours = [part[number] for part in parts]
                wanted = len(batch) // count * count  # of the last, 5: all, 4 or 3
                assert len({len(one) for one in ours}) == 1
                np.testing.assert_array_equal(np.concatenate([one.image for one in ours]), batch.image[:wanted])
                np.testing.assert_array_equal(np.concatenate([one.objects for one in ours]), batch.objects[:wanted])
                assert sum((one.windows for one in ours), ()) == batch.windows[:wanted]
                assert sum((one.drawn for one in ours), ()) == batch.drawn[:wanted]
        resumed = loader.epoch(2, first=3, share=(1, 2))
        np.testing.assert_array_equal(next(resumed).image, whole[3].image[2:4])
        assert loader.steps(2, share=(0, 6)) == 3  # five windows are too few for six processes
        for share, message in (((0, 4), "multiple of 4"), ((2, 2), "rank 2 of 2"), ((-1, 2), "rank -1")):
            with pytest.raises(RecipeError, match=message):
                loader.epoch(0, share=share)


@pytest.mark.parametrize("workers", [0, 1])
def test_windows_are_of_the_prepared_image(discs, encoders, workers):
    """It may have another size: the survey, the windows' number and their places follow it."""
    with Loader(discs, shape=(16, 16), batch=4, workers=workers, prepare=encoders.Halved(2)) as loader:
        assert {survey.shape for survey in loader.surveys} == {(32, 32)}
        assert len(loader.plan(0)) == len(discs) * 4
        for batch in loader.epoch(0):
            for number, window in enumerate(batch.windows):
                sample = load(discs, discs.entries[window.entry])
                inside = tuple(slice(at - 8, at + 8) for at in window.centre)
                np.testing.assert_array_equal(batch.image[number, ..., 0], sample.image.pixels[::2, ::2][inside])
                np.testing.assert_array_equal(batch.objects[number], sample.truth.pixels[::2, ::2][inside])


def test_no_memory_and_much_give_the_same(discs):
    found = []
    for memory in (0, 20_000, 1 << 30):
        with Loader(discs, shape=(24, 24), augment=CHAIN, memory=memory, sampling=Sampling(windows=20)) as loader:
            found.append(taken(loader))
            assert loader._memory.bytes <= memory
    assert found[0] == found[1] == found[2]


def test_an_epoch_can_be_left_and_taken_up_again(discs):
    with Loader(discs, shape=(32, 32), batch=5, augment=CHAIN) as loader:
        whole = taken(loader, epoch=4)
        assert len(whole) == loader.steps(4)
    with Loader(discs, shape=(32, 32), batch=5, augment=CHAIN) as later:
        assert taken(later, epoch=4, first=3) == whole[3:]


def test_a_window_can_be_made_again_from_what_was_drawn(discs):
    with Loader(discs, shape=(32, 32), augment=CHAIN) as loader:
        batch = next(loader.epoch(0))
        for number, (window, drawn) in enumerate(zip(batch.windows, batch.drawn, strict=True)):
            again = apply(drawn, loader.example(window.entry), shape=(32, 32), centre=window.centre)
            np.testing.assert_array_equal(again.image, batch.image[number])
            np.testing.assert_array_equal(again.objects, batch.objects[number])


def test_without_steps_a_window_is_a_piece_of_its_image(discs):
    with Loader(discs, shape=(20, 30), batch=7) as loader:
        for batch in loader.epoch(0):
            for number, window in enumerate(batch.windows):
                sample = load(discs, discs.entries[window.entry])
                top, left = (at - n // 2 for at, n in zip(window.centre, (20, 30), strict=True))
                np.testing.assert_array_equal(batch.image[number, ..., 0], sample.image.pixels[top : top + 20, left : left + 30])
                np.testing.assert_array_equal(batch.objects[number], sample.truth.pixels[top : top + 20, left : left + 30])


def test_targets_are_made_in_the_worker(discs, encoders):
    with Loader(discs, shape=(24, 24), encode=encoders.mean_of, workers=2, prepare=encoders.brighter) as loader:
        with collect_warnings() as said:
            batches = list(loader.epoch(0))
        assert said == ["values were doubled"]
        for batch in batches:
            assert batch.image.dtype == np.float32
            np.testing.assert_allclose(batch.targets["mean"][:, 0], batch.image.mean((1, 2, 3)), rtol=1e-5)
            np.testing.assert_array_equal(batch.targets["labels"], batch.objects)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_file_is_named_before_anything_is_learned(disc_folder, tmp_path, workers):
    import shutil

    folder = shutil.copytree(disc_folder, tmp_path / "discs")
    broken = folder / "images" / "p2_5.png"
    broken.write_bytes(broken.read_bytes()[:200])
    with collect_warnings():
        data = find_dataset(folder, kind="instance")
    with Loader(data, shape=(24, 24), workers=workers) as loader, pytest.raises(RunError) as raised:
        loader.plan(0)
    assert str(broken) in str(raised.value)
    assert "Traceback" in str(raised.value)
    assert re.match(r"images/p2_5 \(.*\): InputError: ", str(raised.value))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_file_that_breaks_in_the_middle_of_an_epoch(disc_folder, tmp_path, workers):
    import shutil

    folder = shutil.copytree(disc_folder, tmp_path / "discs")
    with collect_warnings():
        data = find_dataset(folder, kind="instance")
    with Loader(data, shape=(24, 24), workers=workers, memory=0, batch=1) as loader:
        at = next(number for number, window in enumerate(loader.plan(0)) if "p2_5" in data.entries[window.entry].name)
        (folder / "images" / "p2_5.png").write_bytes(b"")
        epoch = loader.epoch(0)
        for _ in range(at):
            next(epoch)
        with pytest.raises(RunError, match=r"p2_5\.png"):
            next(epoch)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_users_own_mistake_arrives_with_its_line(discs, encoders, workers):
    with Loader(discs, shape=(24, 24), encode=encoders.faulty, workers=workers) as loader, pytest.raises(RunError) as raised:
        list(loader.epoch(0))
    assert "p2_5" in str(raised.value).splitlines()[0]
    assert "KeyError: 'no such distance'" in str(raised.value)
    assert "encoders.py" in str(raised.value)


def test_a_killed_worker_is_explained(discs, encoders):
    with Loader(discs, shape=(24, 24), encode=encoders.deadly, workers=2, batch=1, sampling=Sampling(windows=12)) as loader:
        done = []
        with pytest.raises(RunError, match=r"^images/p2_5 .*killed twice.*want of memory"):
            done.extend(batch.names[0] for batch in loader.epoch(0))
        assert done == [discs.entries[window.entry].name for window in loader.plan(0)][: len(done)]
        assert discs.entries[loader.plan(0)[len(done)].entry].name.endswith("p2_5")


def test_a_worker_that_is_killed_once_costs_nothing(discs, encoders, tmp_path):
    dies_once = functools.partial(encoders.dies_once, died=tmp_path / "died")
    with Loader(discs, shape=(24, 24), batch=2, augment=CHAIN, seed=1) as loader:
        expected = taken(loader)
    with Loader(discs, shape=(24, 24), batch=2, augment=CHAIN, seed=1, encode=dies_once, workers=2) as loader:
        assert taken(loader) == expected
    assert (tmp_path / "died").exists()


def of_the_script(sample):
    return sample


def of_a_module(example, *, file):
    return {}


def test_functions_that_workers_cannot_import(discs, monkeypatch):
    monkeypatch.setattr(of_the_script, "__module__", "__main__")
    for options, message in (
        ({"encode": lambda example: {}}, r"encode.*function of a module"),
        ({"prepare": functools.partial(of_the_script)}, r"prepare.*worker processes do not import"),
        ({"encode": functools.partial(of_a_module, file=sys.stdout)}, r"cannot be sent to worker processes"),
        ({"prepare": of_the_script}, r"prepare.*worker processes do not import"),
    ):
        with Loader(discs, shape=(24, 24), workers=1, **options) as loader, pytest.raises(RecipeError, match=message):
            list(loader.epoch(0))


def test_small_images_are_mirrored_in_the_middle():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    with Loader([Sample(Image(image), SemanticMap(image), name="a")], shape=(7, 8), batch=1) as loader:
        batch = next(loader.epoch(0))
    np.testing.assert_array_equal(batch.image[0, ..., 0], np.pad(image, 2, "reflect"))
    np.testing.assert_array_equal(batch.classes[0], np.pad(image, 2, "reflect"))


def test_a_margin_is_of_the_image_only():
    rng = np.random.default_rng(0)
    image, truth = rng.integers(0, 255, (60, 70)).astype(np.uint8), rng.integers(0, 3, (60, 70)).astype(np.uint8)
    with Loader([Sample(Image(image), SemanticMap(truth), name="a")], shape=(12, 16), margin=(5, 3), batch=3) as loader:
        wide = np.pad(image, ((5, 5), (3, 3)), "reflect")
        for batch in loader.epoch(0):
            assert batch.image.shape[1:] == (22, 22, 1)
            assert batch.classes.shape[1:] == (12, 16)
            for number, window in enumerate(batch.windows):
                top, left = window.centre[0] - 6, window.centre[1] - 8
                np.testing.assert_array_equal(batch.image[number, ..., 0], wide[top : top + 22, left : left + 22])
                np.testing.assert_array_equal(batch.classes[number], truth[top : top + 12, left : left + 16])


def test_volumes_with_channels():
    rng = np.random.default_rng(0)
    volumes = [
        Sample(Image(rng.normal(size=(9 + k, 20, 18, 2)).astype(np.float32), axes="zyxc", spacing=(2, 1, 1)),
               InstanceMap(rng.integers(0, 4, (9 + k, 20, 18)).astype(np.int32), axes="zyx"), name=str(k))
        for k in range(3)
    ]  # fmt: skip
    with Loader(volumes, shape=(8, 16, 16), batch=2, augment=CHAIN) as loader:
        batches = list(loader.epoch(0))
        expected = taken(loader)
        own = [batch.image for batch in loader.epoch(0, share=(1, 2))]
    np.testing.assert_array_equal(own[0], batches[0].image[1:])
    with Loader(volumes, shape=(8, 16, 16), batch=2, augment=CHAIN, workers=2) as loader:
        assert taken(loader) == expected
    assert batches[0].image.shape == (2, 8, 16, 16, 2)
    assert batches[0].image.dtype == np.float32
    assert batches[0].objects.shape == (2, 8, 16, 16)


def test_volumes_by_worker_processes(tmp_path):
    rng = np.random.default_rng(0)
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
        for number in range(3):
            volume = rng.integers(0, 200 if part == "images" else 3, (9, 20, 18)).astype(np.uint8)
            write(Image(volume, axes="zyx", spacing=(2, 1, 1), unit="um"), tmp_path / part / f"{number}.nii.gz")
    with collect_warnings():
        data = find_dataset(tmp_path, kind="instance")
        with Loader(data, shape=(8, 16, 16), batch=2, augment=CHAIN) as alone:
            expected = taken(alone)
        with Loader(data, shape=(8, 16, 16), batch=2, augment=CHAIN, workers=2) as processes:
            assert taken(processes) == expected


def plain(name, pixels, truth=None, **options):
    truth = np.zeros(np.shape(pixels)[:2], np.uint8) if truth is None else truth
    return Sample(Image(pixels, **options), SemanticMap(truth), name=name)


def test_images_that_do_not_go_together():
    grey, colour = np.zeros((30, 30), np.uint8), np.zeros((30, 30, 3), np.uint8)
    with pytest.raises(InputError, match="b: channels 3, but a has 1"):
        Loader([plain("a", grey), plain("b", colour, axes="yxc")], shape=(8, 8)).plan(0)
    other = Sample(Image(grey), InstanceMap(np.zeros((30, 30), np.int32)), name="b")
    with pytest.raises(InputError, match="b: labels objects, but a has classes"):
        Loader([plain("a", grey), other], shape=(8, 8)).plan(0)
    with pytest.raises(InputError, match="windows have 3 axes"):
        Loader([plain("a", grey)], shape=(8, 8, 8)).plan(0)
    with pytest.raises(InputError, match="no labelled image"):
        Loader([], shape=(8, 8)).plan(0)
    with Loader([plain("a", grey), plain("b", grey.astype(np.uint16) + 1000)], shape=(30, 30), batch=2) as loader:
        with collect_warnings() as said:
            batch = next(loader.epoch(0))
        assert "uint16 and uint8" in said[0]
        assert batch.image.dtype == np.float32
        assert set(np.unique(batch.image)) == {0, 1000}


@pytest.mark.parametrize(
    ("options", "message"),
    [({"batch": 0}, "batch"), ({"workers": -1}, "workers"), ({"shape": (8,)}, "shape"), ({"seed": -1}, "seed"), ({"augment": ["x"]}, "x")],
)
def test_wrong_options(options, message):
    with pytest.raises(RecipeError, match=message):
        Loader([plain("a", np.zeros((9, 9)))], **{"shape": (8, 8), **options})
    with pytest.raises(RecipeError, match=r"sampling\.rare"):
        Sampling(rare=2)
    with pytest.raises(RecipeError, match="together at most 1"):
        Sampling(rare=0.7, edges=0.7)


def rare_data():
    """Class 2 is one pixel in one of four images; class 255 is not labelled."""
    table = ClassTable((ClassEntry(0, "ground", "background"), ClassEntry(1, "road", "stuff"), ClassEntry(2, "sign", "thing"),
                        ClassEntry(255, "void", "ignore")))  # fmt: skip
    found = []
    for number in range(4):
        truth = np.zeros((64, 64), np.uint8)
        truth[:32] = 1
        truth[0] = 255
        if number == 0:
            truth[40, 50] = 2
        found.append(Sample(Image(np.zeros((64, 64), np.uint8)), SemanticMap(truth, classes=table), name=str(number)))
    return found


def test_windows_around_rare_classes():
    with Loader(rare_data(), shape=(9, 9), sampling=Sampling(rare=1.0, windows=400)) as loader:
        assert loader.classes == (1, 2)
        with_it = [window.centre for window in loader.plan(0) if window.entry == 0]
        on_it = sum(centre == (40, 50) for centre in with_it) / len(with_it)
        assert 0.38 < on_it < 0.62  # a class is drawn evenly: half of them the rare one
        without = [window.centre for window in loader.plan(0) if window.entry == 1]
        assert all(y <= 31 for y, _ in without)  # the image has no sign: always on its road
    with Loader(rare_data(), shape=(9, 9), sampling=Sampling(rare=0.0, windows=400)) as loader:
        assert (40, 50) not in [window.centre for window in loader.plan(0)]


def test_an_image_without_any_class_has_random_windows():
    truth = SemanticMap(np.zeros((64, 64), np.uint8), classes=ClassTable.binary("crack"))
    bare = Sample(Image(np.zeros((64, 64), np.uint8)), truth, name="bare")
    with Loader([*rare_data(), bare], shape=(9, 9), sampling=Sampling(rare=1.0, windows=400)) as loader:
        rows = [window.centre[0] for window in loader.plan(0) if window.entry == 4]
    assert min(rows) < 16
    assert max(rows) > 48


def test_windows_on_edges_lie_on_edges():
    with Loader(rare_data(), shape=(9, 9), sampling=Sampling(rare=0.0, edges=1.0, windows=300)) as loader:
        rows = {window.centre[0] for window in loader.plan(0) if window.entry == 1}
    assert rows == {4, 31, 32}  # the void's edge is pushed back so that the window stays inside


def test_every_window_lies_within_its_image():
    with Loader(rare_data(), shape=(33, 20), sampling=Sampling(windows=500)) as loader:
        for window in loader.plan(0):
            for at, n, size in zip(window.centre, (64, 64), (33, 20), strict=True):
                assert at - size // 2 >= 0
                assert at - size // 2 + size <= n


def test_random_windows_reach_every_place():
    seen = np.zeros(10, int)
    for window in plan([Survey("a", (12, 12), 1, "uint8", "classes")], (3, 3), classes=[], sampling=Sampling(windows=3000)):
        seen[window.centre[0] - 1] += 1
    assert seen.min() > 230
    assert seen.max() < 370


def test_balance():
    def one(name, side, *values):
        return Survey(name, (side, side), 1, "uint8", "classes", dict.fromkeys(values, 1))

    surveys = [one("large", 80, 0), one("rare", 8, 0, 3), *(one(str(number), 8, 0) for number in range(7))]

    def counts(balance):
        return np.bincount([window.entry for window in plan(surveys, (8, 8), classes=[3], sampling=Sampling(balance=balance, windows=900))])

    assert counts("images").tolist() == [100] * 9
    assert counts("size")[0] == pytest.approx(900 * 6400 / (6400 + 8 * 64), abs=1)
    by_class = counts("classes")
    assert by_class[1] / by_class[2] == pytest.approx(np.sqrt(0.5 * 9), rel=0.05)
    assert by_class.sum() == 900


def test_a_survey_keeps_places_of_every_class():
    truth = np.zeros((200, 200), np.uint8)
    truth[5, 7] = 9
    seen = survey_of(example_of(plain("a", np.zeros((200, 200), np.uint8), truth)))
    assert seen.counts == {0: 39999, 9: 1}
    assert seen.places[9].tolist() == [[5, 7]]
    assert len(seen.places[0]) == 2048
    assert sorted(map(tuple, seen.edges.tolist())) == [(4, 7), (5, 6), (5, 7), (5, 8), (6, 7)]


def test_objects_are_one_class_unless_they_have_their_own():
    objects = np.zeros((20, 20), np.int32)
    objects[:4, :4], objects[10:12, 10:12] = 1, 2
    one = survey_of(example_of(Sample(Image(np.zeros((20, 20))), InstanceMap(objects), name="a")))
    assert one.counts == {0: 380, 1: 20}
    own = survey_of(example_of(Sample(Image(np.zeros((20, 20))), InstanceMap(objects, object_class={1: 4, 2: 7}), name="a")))
    assert own.counts == {0: 380, 4: 16, 7: 4}


def test_images_without_labels_are_told_of(disc_folder, tmp_path):
    import shutil

    folder = shutil.copytree(disc_folder, tmp_path / "discs")
    next((folder / "labels").glob("p0_0*")).unlink()
    with collect_warnings() as said:
        loader = Loader(find_dataset(folder, kind="instance"), shape=(8, 8))
    assert any("1 of 12 images have no labels" in message for message in said)
    assert len(loader) == 11


def test_an_epoch_that_is_left_leaves_nothing_in_shared_memory(tmp_path):
    import cv2

    shared = Path("/dev/shm")
    if not shared.is_dir():
        pytest.skip("no shared memory to look at")
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
        for number in range(3):
            cv2.imwrite(str(tmp_path / part / f"{number}.png"), np.full((700, 700), number * (part == "images"), np.uint8))
    with collect_warnings():
        data = find_dataset(tmp_path, kind="semantic")
    before = {path.name for path in shared.iterdir()}
    with Loader(data, shape=(640, 640), workers=2, batch=4, sampling=Sampling(windows=40)) as loader:
        epoch, other = loader.epoch(0), loader.epoch(1)
        next(epoch)
        next(other)
        epoch.close()
    other.close()  # after its loader: an iterator may live longer
    with Loader(data, shape=(640, 640), workers=2) as loader:
        seen = loader._carrier.answers(see, range(len(loader)))
        next(seen)
    seen.close()
    assert {path.name for path in shared.iterdir() if path.name.startswith("psm_")} <= before
