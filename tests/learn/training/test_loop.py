"""The loop on networks small enough to follow by hand: accumulation, clipping, averages, patience, and what a bad step leaves behind."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from microtome.core.errors import RunError  # noqa: E402
from microtome.learn.objectives.objective import Turn  # noqa: E402
from microtome.learn.training.batches import Drawn  # noqa: E402
from microtome.learn.training.checkpoint import load_checkpoint  # noqa: E402
from microtome.learn.training.crew import Crew, LostProcess  # noqa: E402
from microtome.learn.training.events import Saved, Stepped, Stopped, Validated  # noqa: E402
from microtome.learn.training.loop import Fitting, Loop  # noqa: E402
from microtome.learn.training.precision import choose  # noqa: E402
from microtome.losses.weighted_sum import Summed  # noqa: E402
from microtome.networks import build  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


SGD = {"sgd": {"rate": 0.1, "momentum": 0, "weight_decay": 0}}


class Mean:
    """The mean over a batch of a function of what the network says of it."""

    def __init__(self, network, of=lambda y: y.square()):
        self.network, self.of = network, of

    @property
    def turns(self):
        return (Turn("network", self.network, self.loss),)

    def wrap(self, wrapper):
        return Mean(wrapper(self.network), self.of)

    def loss(self, batch):
        answers = self.network(batch["image"])
        value = self.of(answers["a"] if isinstance(answers, dict) else answers).mean()
        return Summed(value, {"own": value.detach()})


class Stream:
    """Batches of what was given, over and over."""

    def __init__(self, *images):
        self.images, self.per_epoch = images, len(images)

    def after(self, taken):
        while True:
            yield Drawn({"image": self.images[taken % len(self.images)]}, (f"image {taken % len(self.images)}",))
            taken += 1


def scores(*values):
    """A validation that gives these one after the other."""
    left = list(values)
    return lambda network, step: Validated(step, "score", left.pop(0), best=False, scores={}, loss=0.0)


def fitting(**changes):
    return Fitting(**{"steps": 10, "every": 10, "optimiser": SGD, "schedule": {"constant": {}}, "clip": 0.0, "average": 0.0, "report": 1}
                   | changes)  # fmt: skip


def loop_of(network, folder, crew=None, of=lambda y: y.square(), **changes):
    return Loop(Mean(network, of), network, fitting(**changes), choose("cpu", "float32"), crew or Crew("cpu"), folder)


def one_weight(value=1.0):
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, value)
    return layer


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_a_step_by_hand(tmp_path):
    network = one_weight(2.0)
    loop = loop_of(network, tmp_path, steps=1, every=1)
    events = list(loop.run(Stream(torch.tensor([[3.0]])), scores(0.5)))
    # the loss is (3 w)^2, its slope 18 w; w = 2 - 0.1 * 36
    assert of(events, Stepped)[0].loss == pytest.approx(36)
    assert of(events, Stepped)[0].parts == {"own": pytest.approx(36)}
    assert network.weight.item() == pytest.approx(2 - 3.6)


def test_gradients_are_clipped_together(tmp_path):
    network = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    loop = loop_of(network, tmp_path, of=lambda y: y, steps=1, every=1, clip=1.0)
    list(loop.run(Stream(torch.tensor([[3.0, 4.0]])), scores(0.5)))
    # the gradient (3, 4) has the norm 5: clipped to 1 it is (0.6, 0.8)
    torch.testing.assert_close(network.weight.detach(), torch.tensor([[-0.06, -0.08]]), rtol=1e-5, atol=0)


def test_two_batches_of_two_move_as_one_of_four(tmp_path):
    x = torch.rand(8, 1, 12, 12, generator=torch.Generator().manual_seed(0))

    def trained(stream, **changes):
        network = build("unet", channels_in=1, outputs={"a": 2}, depth=2, root=4, norm="group", groups=2, seed=5)
        adamw = {"adamw": {"rate": 0.01}}
        loop = loop_of(network, tmp_path, steps=4, every=4, optimiser=adamw, clip=1.0, **changes)
        told = of(loop.run(stream, scores(0.5)), Stepped)
        return network, [event.loss for event in told]

    whole, losses = trained(Stream(x[:4], x[4:]))
    parts, others = trained(Stream(x[:2], x[2:4], x[4:6], x[6:]), accumulate=2)
    assert others == pytest.approx(losses, rel=1e-5)
    for one, two in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_the_rate_follows_the_schedule_and_is_told(tmp_path):
    loop = loop_of(one_weight(), tmp_path, steps=4, every=4, schedule={"poly": {"power": 1}})
    events = of(loop.run(Stream(torch.ones(1, 1)), scores(0.5)), Stepped)
    assert [event.rate for event in events] == pytest.approx([0.1, 0.075, 0.05, 0.025])


def test_the_average_is_what_is_validated_and_kept(tmp_path):
    network = one_weight(0.0)
    asked = []

    def validate(module, step):
        asked.append(module.weight.item())
        return Validated(step, "score", 1.0, best=False, scores={}, loss=0.0)

    loop = loop_of(network, tmp_path, of=lambda y: -10 * y, steps=2, every=1, average=0.5)
    list(loop.run(Stream(torch.ones(1, 1)), validate))
    # the weight goes 0, 1, 2; the average takes 9/10 of the first and 9/11 of the second
    assert network.weight.item() == pytest.approx(2)
    assert asked == pytest.approx([0.9, 0.9 * 2 / 11 + 2 * 9 / 11])
    assert loop.best().weight.item() == pytest.approx(asked[0])  # the first of equals


def test_training_stops_when_nothing_gets_better(tmp_path):
    loop = loop_of(one_weight(), tmp_path, steps=100, every=2, patience=3)
    events = list(loop.run(Stream(torch.ones(1, 1)), scores(0.1, 0.5, 0.4, 0.5, 0.3, 0.9)))
    assert isinstance(events[-1], Stopped)
    assert (events[-1].step, events[-1].reason) == (10, "no better score in 3 validations")
    assert [event.best for event in of(events, Validated)] == [True, True, False, False, False]
    assert (loop.state.best, loop.state.best_step) == (0.5, 4)
    assert load_checkpoint(tmp_path / "last.safetensors")[0].step == 10


def test_patience_starts_anew_with_every_better_score_and_nought_never_stops(tmp_path):
    loop = loop_of(one_weight(), tmp_path / "a", steps=6, every=1, patience=2)
    assert not of(loop.run(Stream(torch.ones(1, 1)), scores(0.1, 0.0, 0.2, 0.1, 0.3, 0.2)), Stopped)
    loop = loop_of(one_weight(), tmp_path / "b", steps=6, every=1, patience=0)
    assert not of(loop.run(Stream(torch.ones(1, 1)), scores(*[0.1] * 6)), Stopped)


def test_patience_is_kept_over_a_resume(tmp_path):
    first = loop_of(one_weight(), tmp_path, steps=100, every=1, patience=3)
    list(first.run(Stream(torch.ones(1, 1)), scores(0.5, 0.1, 0.1), stop=lambda: first.state.step == 3))
    second = loop_of(one_weight(), tmp_path, steps=100, every=1, patience=3)
    second.resume()
    events = list(second.run(Stream(torch.ones(1, 1)), scores(0.1, 0.1)))
    assert isinstance(events[-1], Stopped)
    assert events[-1].step == 4


def test_a_run_killed_after_patience_ran_out_does_not_train_on_when_it_is_resumed(tmp_path):
    first = loop_of(one_weight(), tmp_path, steps=100, every=2, patience=2)
    assert of(first.run(Stream(torch.ones(1, 1)), scores(0.5, 0.1, 0.1)), Stopped)[0].step == 6
    second = loop_of(one_weight(), tmp_path, steps=100, every=2, patience=2)
    second.resume()
    assert list(second.run(Stream(torch.ones(1, 1)), scores())) == [Stopped(6, "no better score in 2 validations")]
    assert second.state.step == 6


@pytest.mark.parametrize("steps", [4, 8])
def test_a_validation_that_was_broken_off_is_made_up_for(tmp_path, steps):
    def broken(network, step):
        raise RunError("a held-out file is damaged")

    with pytest.raises(RunError, match="damaged"):
        list(loop_of(one_weight(), tmp_path, steps=steps, every=4).run(Stream(torch.ones(1, 1)), broken))
    second = loop_of(one_weight(), tmp_path, steps=steps, every=4)
    second.resume()
    assert of(second.run(Stream(torch.ones(1, 1)), scores(*[0.9, 0.1][: steps // 4])), Validated)[0].step == 4
    assert (second.state.step, second.state.best, second.state.best_step) == (steps, 0.9, 4)
    assert (tmp_path / "best.safetensors").exists()
    third = loop_of(one_weight(), tmp_path, steps=steps, every=4)
    third.resume()
    assert not list(third.run(Stream(torch.ones(1, 1)), scores()))  # and not a second time


def test_closing_just_before_a_validation_does_not_skip_it(tmp_path):
    events = loop_of(one_weight(), tmp_path, steps=8, every=4).run(Stream(torch.ones(1, 1)), scores(0.1))
    assert next(event for event in events if isinstance(event, Stepped) and event.step == 4)
    events.close()
    second = loop_of(one_weight(), tmp_path, steps=8, every=4)
    second.resume()
    assert [event.step for event in of(second.run(Stream(torch.ones(1, 1)), scores(0.9, 0.1)), Validated)] == [4, 8]
    assert second.state.best == 0.9


def test_the_state_is_saved_between_validations_too_and_goes_on_to_the_same_weights(tmp_path):
    images = Stream(torch.rand(4, 1, generator=torch.Generator().manual_seed(0)), torch.ones(4, 1))
    adamw = {"steps": 9, "every": 9, "optimiser": {"adamw": {"rate": 0.1}}, "average": 0.9}
    whole = loop_of(one_weight(), tmp_path / "whole", **adamw)
    assert [event.step for event in of(whole.run(images, scores(0.5)), Saved)] == [9]  # not yet some minutes
    often = loop_of(one_weight(), tmp_path / "often", save_after=0.0, **adamw)
    events = often.run(images, scores(0.5))
    assert next(event for event in events if isinstance(event, Saved) and event.step == 5)
    again = loop_of(one_weight(), tmp_path / "often", **adamw)
    again.resume()
    assert again.state.step == 5
    list(again.run(images, scores(0.5)))
    one, other = (load_checkpoint(tmp_path / name / "last.safetensors")[1] for name in ("whole", "often"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_loss_that_is_not_finite_leaves_the_state_before_it_with_its_statistics(tmp_path):
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2))
    good, bad = torch.rand(2, 1, 4, 4), torch.full((2, 1, 4, 4), math.nan)
    loop = loop_of(network, tmp_path, steps=10, every=10)
    with pytest.raises(RunError, match=r"step 3: the loss is nan, with windows of image 2\..*the state before is saved"):
        list(loop.run(Stream(good, good, bad), scores(0.5)))
    state, tensors, _ = load_checkpoint(tmp_path / "last.safetensors")
    assert state.step == 2
    assert all(torch.isfinite(values).all() for values in tensors.values() if values.is_floating_point())
    assert int(tensors["network/1.num_batches_tracked"]) == 2


def test_a_gradient_that_is_not_finite_moves_nothing(tmp_path):
    network = one_weight(0.0)
    loop = loop_of(network, tmp_path, of=lambda y: y.abs().sqrt(), steps=2, every=2)  # its slope at 0 is infinite
    with pytest.raises(RunError, match=r"step 1: the gradient is (nan|inf)"):
        list(loop.run(Stream(torch.ones(1, 1)), scores(0.5)))
    assert network.weight.item() == 0.0


class Lonely(Crew):
    """The other process is lost in the middle of a step, or just after it."""

    def __init__(self, at, rank=0):
        super().__init__("cpu")
        self.at, self.asked, self.rank = at, 0, rank

    def mean(self, numbers):
        self.asked += 1
        if self.asked == self.at:
            raise LostProcess("another of the 2 processes that train together was lost")
        return super().mean(numbers)


def test_a_lost_process_ends_the_run_with_every_whole_step_saved(tmp_path):
    # Asked twice a step: for the losses, and whether to stop. The third time is just after the second step.
    network = one_weight(1.0)
    loop = loop_of(network, tmp_path, Lonely(3), of=lambda y: -y)
    with pytest.raises(RunError, match="was lost; step 2 is saved: start all of them again with --resume"):
        list(loop.run(Stream(torch.ones(1, 1)), scores(0.5)))
    state, tensors, _ = load_checkpoint(tmp_path / "last.safetensors")
    assert state.step == 2
    assert tensors["network/weight"].item() == pytest.approx(1.2)


def test_only_the_first_process_writes(tmp_path):
    loop = loop_of(one_weight(1.0), tmp_path, Lonely(3, rank=1))
    with pytest.raises(RunError, match="the last checkpoint is kept: start all of them again with --resume"):
        list(loop.run(Stream(torch.ones(1, 1)), scores(0.5)))
    assert not list(tmp_path.iterdir())
    loop = loop_of(one_weight(1.0), tmp_path, Lonely(0, rank=1), steps=2, every=1)
    assert not of(loop.run(Stream(torch.ones(1, 1)), scores()), Saved | Validated)
    assert not list(tmp_path.iterdir())


VOLUMES = (
    {"norm": "instance", "activation": "elu"},
    {"norm": "group", "groups": 2, "activation": "leaky_relu"},
    {"norm": "batch", "supervised": 1},
)


@pytest.mark.parametrize("settings", VOLUMES)
def test_volumes_are_learned_with_every_normalisation(tmp_path, settings):
    torch.manual_seed(0)
    x = torch.rand(2, 1, 8, 12, 12).contiguous(memory_format=torch.channels_last_3d)
    truth = (x > 0.5).float()
    network = build("unet", channels_in=1, outputs={"a": 1}, dimensions=3, depth=3, root=4, **settings)
    loss = lambda y: torch.nn.functional.binary_cross_entropy_with_logits(y, truth)  # noqa: E731
    loop = loop_of(network, tmp_path, of=loss, steps=30, every=30, optimiser={"adamw": {"rate": 0.02}}, clip=1.0)
    losses = [event.loss for event in of(loop.run(Stream(x), scores(0.5)), Stepped)]
    assert losses[-1] < 0.5 * losses[0]
    other = build("unet", channels_in=1, outputs={"a": 1}, dimensions=3, depth=3, root=4, seed=1, **settings)
    again = loop_of(other, tmp_path, of=loss, optimiser={"adamw": {}})
    again.resume()
    assert again.state.step == 30
