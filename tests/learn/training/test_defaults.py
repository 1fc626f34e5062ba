"""What is settled from the data: what the user said stays, and each choice follows from something that can be counted."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import RecipeError
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.result import Sample
from microtome.learn.training.defaults import SMALL, settle
from microtome.learn.training.look import look_at
from microtome.learn.training.recipe import TrainingRecipe

GREY = ("grey", "an example")


def objects(diameter, shape=(128, 160), count=12, channels=0, ndim=2):
    """Squares with the area of discs of a diameter, on a grid."""
    side = max(1, round(diameter * np.sqrt(np.pi) / 2))
    labels = np.zeros(shape, np.int32)
    step = side + 2
    places = [(y, x) for y in range(1, shape[-2] - step, step) for x in range(1, shape[-1] - step, step)][:count]
    for number, (y, x) in enumerate(places, 1):
        labels[..., y : y + side, x : x + side] = number
    pixels = np.zeros((*shape, channels) if channels else shape, np.uint8)
    axes = "zyx"[-ndim:]
    return Sample(Image(pixels, axes=axes + "c" * bool(channels)), InstanceMap(labels, axes=axes), name="one")


def regions(shape=(100, 100)):
    labels = np.zeros(shape, np.uint8)
    labels[:50] = 1
    return Sample(Image(np.zeros(shape, np.uint8)), SemanticMap(labels), name="one")


def settled(*given, content=GREY, accelerated=False, processes=1, **said):
    recipe, choices = settle(TrainingRecipe(**said), look_at(list(given)), content, accelerated=accelerated, processes=processes)
    return recipe, {choice.place: choice for choice in choices}


def test_what_the_user_said_stays_and_says_so():
    said = {
        "scale": 1.5, "target": {"signed_distance": {}}, "network": {"fcn_same": {}}, "window": [64, 96], "batch": 3, "loss": ["bce"],
        "augment": [], "sampling": {"rare": 0.1, "windows": 7}, "optimiser": {"sgd": {}}, "schedule": "constant", "prepare": [],
    }  # fmt: skip
    recipe, choices = settled(objects(20), **said, budget={"epochs": 2}, validation={"metric": "f1_50"})
    for place, value in said.items():
        assert getattr(recipe, place) == value
        assert choices[place].reason == "as you said"
    assert choices["budget"].reason == choices["validation.metric"].reason == "as you said"


def test_what_is_said_of_a_part_is_added_to_what_is_settled_of_it():
    plain, _ = settled(objects(20))
    recipe, choices = settled(
        objects(20),
        network={"unet": {"depth": 4}},
        sampling={"rare": 0.1},
        optimiser={"adamw": {"weight_decay": 0.1}},
        schedule={"poly": {}},
    )
    assert recipe.network == {"unet": {"depth": 4, "root": 16}}
    assert choices["network"].reason == "as you said; root: small enough to learn on a processor"
    assert recipe.sampling == {"rare": 0.1, "windows": plain.sampling["windows"]}
    assert recipe.optimiser["adamw"] == {"rate": plain.optimiser["adamw"]["rate"], "weight_decay": 0.1}
    assert recipe.schedule == {"poly": {}}
    assert choices["schedule"].reason == "as you said"
    planes = np.eye(40, dtype=np.uint8)[None].repeat(8, 0)
    volume = Sample(Image(np.zeros((8, 40, 40), np.uint8), axes="zyx"), SemanticMap(planes, axes="zyx"), name="volume")
    assert settled(volume, network={"unet": {"root": 32}})[0].network == {"unet": {"depth": 4, "root": 32, "dimensions": 3}}


def test_everything_is_settled_with_a_reason_and_settling_again_changes_nothing():
    recipe, choices = settled(objects(20))
    again, _ = settled(objects(20), **recipe.model_dump())
    assert again == recipe
    assert all(choice.reason for choice in choices.values())
    assert (
        set(choices)
        >= {"prepare", "scale", "target", "network", "window", "batch", "loss", "augment", "optimiser", "schedule", "budget"}
        <= set(choices)
    )


def test_small_objects_are_enlarged_and_large_ones_made_smaller():
    assert settled(objects(6))[0].scale == pytest.approx(SMALL / 6, abs=0.25)
    assert settled(objects(20))[0].scale == 1
    assert settled(objects(96, shape=(400, 400)))[0].scale == 0.5
    assert settled(objects(2))[0].scale == 2  # no more than that
    assert settled(regions())[0].scale == 1


def test_objects_and_classes_have_their_own_target_and_metric():
    recipe, _ = settled(objects(20))
    assert set(recipe.target) == {"interior_border"}
    assert recipe.validation.metric == "ap_50"
    recipe, choices = settled(regions())
    assert set(recipe.target) == {"classes"}
    assert recipe.validation.metric == "miou_set"
    assert choices["target"].reason == "2 classes"
    void = regions().truth.pixels.copy()
    void[-1] = 2
    table = ClassTable([ClassEntry(0, "road"), ClassEntry(1, "sky"), ClassEntry(2, "void", "ignore")])
    _, choices = settled(Sample(regions().image, SemanticMap(void, classes=table), name="one"))
    assert choices["target"].reason == "2 classes; void is not learned"


def test_a_class_of_hardly_any_pixels_weighs_more_and_has_smaller_windows():
    labels = np.zeros((400, 500), np.uint8)
    labels[:100, :200] = 1  # a tenth
    labels[200:204, 100:125] = 2  # a two-thousandth
    table = ClassTable(
        [ClassEntry(0, "good", "background"), ClassEntry(1, "worn"), ClassEntry(2, "crack"), ClassEntry(9, "void", "ignore")]
    )
    labels[399] = 9
    one = Sample(Image(np.zeros(labels.shape, np.uint8)), SemanticMap(labels, classes=table), name="one")
    recipe, choices = settled(one)
    crossed, overlap = recipe.loss
    good, worn, crack = crossed["cross_entropy"]["class_weights"]
    assert crack / worn == pytest.approx(np.sqrt(20000 / 100), rel=0.01)  # the root of how much rarer it is
    assert crack / good == pytest.approx(np.sqrt((400 * 500 - 20000 - 100 - 500) / 100), rel=0.01)
    assert overlap == {"dice": {"background": False}}
    assert recipe.window == [160, 160]
    assert "counts more" in choices["loss"].reason
    assert recipe.optimiser["adamw"]["rate"] > 0.003
    labels[200:240, 100:125] = 2  # a two-hundredth: met often enough
    recipe, _ = settled(one)
    assert recipe.loss == ["cross_entropy", "dice"]
    assert recipe.window == [256, 256]
    assert recipe.optimiser["adamw"]["rate"] < 0.003


def test_a_class_is_scarce_only_where_it_can_be_learned_and_is_lost_among_few():
    labels = np.ones((400, 500), np.uint8)
    labels[:, 250:] = 2
    labels[:, 250:251][:100] = 0  # a seam that nobody labelled is no class
    table = ClassTable([ClassEntry(0, "none", "background"), *(ClassEntry(value, f"class {value}") for value in range(1, 10))])

    def chosen():
        truth = SemanticMap(labels.copy(), classes=table)
        return settled(Sample(Image(np.zeros(labels.shape, np.uint8)), truth, name="one"))[0]

    assert chosen().loss == ["cross_entropy", "dice"]
    labels[0, :3] = 3  # a slip of the pen
    assert chosen().loss == ["cross_entropy", "dice"]
    labels[:5, :30] = 3  # 0.075 %, one of nine classes
    assert chosen().loss == ["cross_entropy", "dice"]
    labels[:5, 20:30] = 1
    recipe = chosen()  # 0.05 %
    weights = recipe.loss[0]["cross_entropy"]["class_weights"]
    assert weights[0] == min(weights[1:])  # the seam is rarer than the two classes, and counts no more than they
    assert weights[3] == weights[4] == max(weights)  # a class that is not there yet may come, in another fold
    assert settled_rate(recipe) > 0.003


def settled_rate(recipe):
    return recipe.optimiser["adamw"]["rate"]


def test_the_high_rate_is_for_our_own_network_and_batches_that_bear_it():
    labels = np.zeros((400, 500), np.uint8)
    labels[:10, :10] = 1
    one = Sample(Image(np.zeros(labels.shape, np.uint8)), SemanticMap(labels), name="one")
    assert settled_rate(settled(one)[0]) > 0.003
    assert settled_rate(settled(one, batch=2)[0]) < 0.002
    assert settled_rate(settled(one, network={"fcn_same": {}})[0]) < 0.003
    volume = np.zeros((64, 128, 128), np.uint8)
    volume[:4, :4, :4] = 1
    one = Sample(Image(volume, axes="zyx"), SemanticMap(volume.copy(), axes="zyx"), name="volume")
    assert settled_rate(settled(one)[0]) < 0.003


def test_pictures_that_are_nearly_empty_keep_their_few_bright_pixels():
    pixels = np.zeros((512, 512), np.uint8)
    pixels[20:30, 20:50] = 200
    labels = (pixels > 0).astype(np.int32)
    recipe, choices = settled(Sample(Image(pixels), InstanceMap(labels), name="one"))
    assert recipe.prepare == [{"normalise": {"lo": 1.0, "hi": 100.0}}]
    assert "in 100% of them hardly a pixel is brighter" in choices["prepare"].reason
    pixels[:40] = 100
    recipe, _ = settled(Sample(Image(pixels), InstanceMap(labels), name="one"))
    assert recipe.prepare == [{"normalise": {"lo": 1.0, "hi": 99.8}}]


def test_large_objects_are_made_smaller_only_as_far_as_the_small_ones_bear_it():
    labels = np.zeros((900, 900), np.int32)
    for number, at in enumerate(range(0, 900, 30), 1):
        labels[:9, at : at + 9] = number
    for number, at in enumerate(range(30, 780, 100), 100):
        labels[at : at + 90, :720] = np.repeat(np.arange(number * 10, number * 10 + 8), 90)
    recipe, _ = settled(Sample(Image(np.zeros(labels.shape, np.uint8)), InstanceMap(labels), name="one"))
    assert recipe.scale == 1  # the median is 100 px, the smallest tenth 10 px


@pytest.mark.parametrize("shape", [(40, 1000), (64, 64), (333, 200)])
def test_a_window_fits_the_network_and_is_no_larger_than_the_images_need(shape):
    recipe, _ = settled(objects(12, shape=shape))
    stride = 2 ** (recipe.network["unet"]["depth"] - 1)
    assert all(side % stride == 0 for side in recipe.window)
    for side, image in zip(recipe.window, shape, strict=True):
        assert side < image * recipe.scale + stride
        assert side <= 256


def test_a_network_that_pads_nothing_has_windows_that_it_can_give():
    from microtome.networks import build

    recipe, choices = settled(objects(20, shape=(300, 300)), network={"unet": {"depth": 3, "root": 2, "padding": "valid"}})
    network = build("unet", channels_in=1, outputs={"a": 3}, depth=3, root=2, padding="valid")
    assert all(side + 2 * network.margin in network.sizes and 240 < side <= 256 for side in recipe.window)
    assert "pads nothing" in choices["window"].reason


def test_objects_of_a_target_that_holds_classes_are_numbered():
    recipe, choices = settled(objects(20), target={"classes": {}})
    assert recipe.refine[0] == "connected_components"
    assert "each piece of a class is an object" in choices["refine"].reason


def test_volumes_have_a_network_and_windows_of_their_own():
    recipe, _ = settled(objects(12, shape=(16, 96, 96), ndim=3))
    assert recipe.network["unet"]["dimensions"] == 3
    assert len(recipe.window) == 3
    assert recipe.window[0] == 16


def test_an_accelerator_has_a_larger_network_and_larger_batches():
    slow, fast = settled(objects(20))[0], settled(objects(20), accelerated=True)[0]
    assert fast.network["unet"]["root"] > slow.network["unet"]["root"]
    assert fast.batch >= slow.batch


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_a_batch_divides_by_the_processes(processes):
    recipe, choices = settled(objects(20), processes=processes)
    assert recipe.batch % processes == 0
    assert f"{processes} processes" in choices["batch"].reason


def test_grey_and_coloured_images_together_are_made_grey_and_others_refused():
    recipe, _ = settled(objects(20), objects(20, channels=3))
    assert recipe.prepare[0] == "to_grey"
    with pytest.raises(RecipeError, match=r"different numbers of channels \(1 with 1, 1 with 2\); choose one with --channel"):
        settled(objects(20), objects(20, channels=2))


def test_colours_are_normalised_together():
    coloured = settled(objects(20, channels=3), content=("colour", "an example"))[0]
    assert coloured.prepare == [{"normalise": {"lo": 1.0, "hi": 99.8, "joint": True}}]
    assert settled(objects(20))[0].prepare == [{"normalise": {"lo": 1.0, "hi": 99.8}}]


def test_pictures_with_an_up_are_not_turned():
    turned, upright = settled(objects(20))[0], settled(objects(20), oriented=True)[0]
    assert turned.augment != upright.augment


def ramps(groups, images=1):
    """Pictures that grow brighter from left to right."""
    pixels = np.arange(160, dtype=np.uint8) * np.ones((128, 1), np.uint8)
    one = objects(20)
    return [
        Sample(Image(pixels), one.truth, name=f"{group} {image}", group=f"{group}") for group in range(groups) for image in range(images)
    ]


def test_pictures_with_a_grain_are_hardly_turned_unless_the_user_says():
    recipe, choices = settled(*ramps(12))
    assert recipe.oriented == "grain"
    assert "across as down, in 100% of 12 pictures or groups" in choices["oriented"].reason
    assert recipe.augment[0] == {"flips": {"turns": False}}
    assert recipe.augment[1]["affine"]["rotation"] == [-10, 10]
    turned, upright = (settled(*ramps(12), oriented=said)[0].augment for said in (False, True))
    assert turned[1]["affine"]["rotation"] == [-180, 180]
    assert upright[0] == {"flips": {"upright": True}}
    recipe, choices = settled(*ramps(12), augment=["flips"])
    assert recipe.oriented is False
    assert "hardly" not in choices["oriented"].reason


def test_pictures_of_a_group_are_one_witness_of_a_grain():
    assert settled(*ramps(4, images=10))[0].oriented is False


def patches(wide=150, thin=12, count=6, table=None):
    """Squares of a common class, and bars, 40 pixels long, of a rare one."""
    labels = np.zeros((1200, 1600), np.uint8)
    for number in range(count):
        y, x = divmod(number, 3)
        labels[20 + 300 * y :, 20 + 300 * x :][:wide, :wide] = 1
        labels[1000 : 1000 + thin, 20 + 200 * number :][:, :40] = 2
    given = {"classes": table} if table else {}
    return Sample(Image(np.zeros(labels.shape, np.uint8)), SemanticMap(labels, **given), name="one")


def test_pictures_are_halved_where_windows_of_a_rare_class_show_the_inside_of_another():
    recipe, choices = settled(patches(thin=5))
    assert (recipe.scale, recipe.window) == (0.5, [160, 160])
    assert "class 1 is 149 px wide, of which windows of 160 show" in choices["scale"].reason
    assert "class 2, the thinnest, is 5 px wide" in choices["scale"].reason


IGNORED = ClassTable((ClassEntry(0, "ground", "background"), ClassEntry(1, "void", "ignore"), ClassEntry(2, "bar", "thing")))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"wide": 110}, {}),  # a window shows it, and what lies around it
        ({"thin": 3}, {}),  # little would be left of the bars
        ({"count": 4}, {}),  # a few pieces may be an exception
        ({"table": IGNORED}, {}),
        ({}, {"window": [256, 256]}),
        ({"count": 6, "wide": 290}, {}),  # a quarter of the pixels: that is what other things lie on
    ],
)
def test_pictures_are_left_as_they_are_otherwise(made, said):
    assert settled(patches(**{"thin": 5, **made}), **said)[0].scale == 1


def test_two_budgets_are_refused():
    with pytest.raises(RecipeError, match="budget: time and steps are given; one of time, epochs and steps"):
        settled(objects(20), budget={"time": "5m", "steps": 10})


def test_epochs_count_the_batches_of_a_step():
    one, two = (settled(objects(20), accumulate=count, batch=8, sampling={"windows": 64})[0] for count in (1, 2))
    assert one.budget.epochs * 64 / 8 == two.budget.epochs * 64 / 16 == 3000


@pytest.mark.parametrize("metric", ["fn_50", "count_abs_error", "count_error"])
def test_a_metric_whose_greatest_value_is_not_the_best_is_refused(metric):
    with pytest.raises(RecipeError, match=rf"validation\.metric: {metric} is better where it is .*take another"):
        settled(objects(20), validation={"metric": metric})


def test_a_metric_that_is_not_there_or_not_of_the_task_is_refused_before_training():
    for metric in ("ap_5O", "miou_set"):
        with pytest.raises(RecipeError, match=f"no metric '{metric}'"):
            settled(objects(20), validation={"metric": metric})
