"""The simulation: short here, and able to fail."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.domain import drift, ripening
from app.domain.running import running_items
from app.usecases import simulating, simulating_lags
from app.usecases.simulated_figures import Row, within
from app.usecases.simulating import simulated


def test_a_short_run_agrees_with_the_references() -> None:
    rows = list(simulated(120, 1))
    assert len(rows) > 100
    assert [row.what for row in rows if not row.sound] == []


def test_a_seed_repeats() -> None:
    first, again, other = (list(islice(simulated(120, seed), 20)) for seed in (1, 1, 2))
    assert first == again != other


def test_evidence_that_is_too_eager_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times the evidence that there is: sound plans are doubted more often than they may."""
    right = drift.log_e_rate
    monkeypatch.setattr(simulating, "log_e_rate", lambda *of: 3 * right(*of))
    off = {row.what for row in islice(simulated(120, 1), 50) if not row.sound}
    assert "sound, 10 a day, 240 days: 20" in off
    assert "dispersion 2, 40 a day, 60 days: sound" in off


def test_evidence_that_is_too_slow_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = ripening.log_e_hazard
    monkeypatch.setattr(simulating_lags, "log_e_hazard", lambda *of: right(*of) / 3)
    dice = np.random.default_rng(1)
    off = {row.what for row in simulating_lags.lagging(dice, 120) if not row.sound}
    assert "lag of 10 days, 5 a day, 60 days: 70% of the plan found" in off


def test_items_that_are_held_to_too_much_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against twice the plan's rate sound plans look like those at half of it."""
    monkeypatch.setattr(
        simulating_lags,
        "running_items",
        lambda begun, ends, rate, *rest: running_items(begun, ends, 2 * rate, *rest),
    )
    dice = np.random.default_rng(1)
    off = [row.what for row in islice(simulating_lags.followed(dice, 120), 16) if not row.sound]
    assert "items, lag of 10 days, 5 a day, 100% of the plan: suspected" in off


def test_the_command_prints_both_figures_and_says_by_its_exit_code_whether_they_agree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = CliRunner().invoke(cli, ["simulate", "--runs", "50", "--seed", "3"])
    assert run.exit_code == 0, run.output
    assert "reference" in run.output.splitlines()[0]
    row = next(line for line in run.output.splitlines() if "10% for 20%, 10 a day: median" in line)
    assert row.split()[-3:-1] == ["day", "9"]
    monkeypatch.setattr(simulating, "simulated", lambda *_: [Row("all", 0.9, 0.1, 0.1, 9.0)])
    run = CliRunner().invoke(cli, ["simulate"])
    assert run.exit_code == 1
    assert run.output.splitlines()[1].split() == ["all", "90.0", "%", "10.0", "%", "9.0", "off"]


def test_how_far_two_shares_are_apart_is_told_in_standard_errors() -> None:
    """600 of 4,000 beside 400 of 4,000: the pooled share is an eighth."""
    hit = np.arange(4_000) < 600
    row = within("", hit, 0.1, 0.1)
    assert row.errors == pytest.approx(0.05 / (0.125 * 0.875 * 2 / 4_000) ** 0.5, rel=1e-3)
    assert not row.sound
    assert within("", hit, 0.1, 0.2).errors == 0
