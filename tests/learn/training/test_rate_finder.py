"""The range test: on losses whose best rate is known, and on a training."""

from __future__ import annotations

import json
import math
from xml.etree import ElementTree

import pytest

torch = pytest.importorskip("torch")

from tests.learn.training.launch import data_folder, recipe_file  # noqa: E402
from tests.learn.training.tiny import recipe, samples  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from microtome.app.cli.main import app  # noqa: E402
from microtome.core.errors import RunError  # noqa: E402
from microtome.learn.training.rate_finder import find_rate, range_test  # noqa: E402
from microtome.learn.training.recipe import TrainingRecipe  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_known_curve():
    # The loss falls with the logarithm of the rate by a logistic curve about 1e-3, and rises from 0.1 on.
    def loss(rate):
        return 1 - 1 / (1 + math.exp(-4 * (math.log10(rate) + 3))) + (rate / 0.3) ** 4

    found = range_test(loss, low=1e-6, high=1.0, steps=200, smoothing=0.0)
    assert found.steepest == pytest.approx(1e-3, rel=0.1)
    assert found.lowest == pytest.approx(0.06, rel=0.5)
    assert found.rate == found.steepest
    assert found.rates[-1] < 1  # it ended where the loss was four times its least


def test_the_suggestion_is_no_more_than_a_tenth_of_the_rate_of_the_least_loss():
    found = range_test(lambda rate: 2 + abs(math.log10(rate) + 2) ** 0.5, low=1e-5, high=1.0, steps=101, smoothing=0.0)
    assert found.lowest == pytest.approx(0.01)
    assert found.steepest > 1e-3
    assert found.rate == pytest.approx(1e-3)


def test_rates_rise_by_equal_factors():
    found = range_test(lambda rate: -math.log10(rate), low=1e-4, high=1.0, steps=41)
    factors = [two / one for one, two in zip(found.rates, found.rates[1:], strict=False)]
    assert factors == pytest.approx([10**0.1] * 40)
    assert (found.rates[0], found.rates[-1]) == pytest.approx((1e-4, 1.0))


def test_the_running_mean_does_not_lag_at_its_beginning():
    found = range_test(lambda rate: 3.0 - 0.01 * math.log10(rate), low=1e-4, high=1.0, steps=20, smoothing=0.9)
    assert found.smoothed[0] == pytest.approx(found.losses[0])
    # by hand for the second: (0.9 * 0.1 * l0 + 0.1 * l1) / 0.19
    assert found.smoothed[1] == pytest.approx((0.09 * found.losses[0] + 0.1 * found.losses[1]) / 0.19)


@pytest.mark.parametrize("broken", [math.nan, math.inf, None])
def test_a_loss_that_is_not_finite_ends_the_range(broken):
    def loss(rate):
        if rate < 0.01:
            return 1 - 0.1 * math.log10(rate)
        if broken is None:
            raise RunError("step 9: the loss is nan")
        return broken

    assert max(range_test(loss, low=1e-5, high=1.0, steps=50).rates) < 0.01


def test_where_nothing_falls_or_all_breaks_nothing_is_suggested():
    with pytest.raises(RunError, match="the loss fell at no rate"):
        range_test(lambda rate: 1.0 + rate)
    with pytest.raises(RunError, match="the range test broke after 0 steps"):
        range_test(lambda rate: math.nan)


def test_a_training_is_tested_and_left_alone(tmp_path):
    given = TrainingRecipe.from_document(recipe())
    found = find_rate(samples(), out=tmp_path, recipe=given)
    assert found.optimiser == "adamw"
    assert 1e-4 < found.rate < 0.5
    assert not list(tmp_path.iterdir())
    assert find_rate(samples(), out=tmp_path, recipe=given).losses == found.losses


def test_the_command_prints_a_table_and_draws_the_curve(tmp_path):
    data = data_folder(tmp_path / "data")
    given = recipe_file(tmp_path / "tiny.yaml")
    command = ["train", str(data), "--out", str(tmp_path / "run"), "--task", "instance", "--recipe", str(given), "--find-rate"]
    told = CliRunner().invoke(app, command, catch_exceptions=False)
    assert told.exit_code == 0
    assert "suggested, the smaller of the first and a tenth of the second: --set optimiser.adamw.rate=" in told.stdout
    curve = (tmp_path / "run" / "rate.svg").read_text()
    assert curve.startswith("<svg ")
    assert len(ElementTree.fromstring(curve).findall("{*}polyline")) == 2
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["rate.svg"]
    told = json.loads(CliRunner().invoke(app, [*command, "--json"], catch_exceptions=False).stdout)
    assert told["set"] == f"optimiser.adamw.rate={told['rate']:.2g}"
