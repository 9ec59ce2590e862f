"""The fit of the fixed time: it finds what was put in, faults pull little, and intervals hold what they claim."""

import numpy as np
import pytest

from economics.serving.engine_fit import PRIOR_LAYER_S, Origins, fit_layer_times, interval_factor, offsets

RNG = np.random.default_rng(3)


def runs_of(alphas: list[float], *, each: int = 40, noise: float = 0.03):
    """Runs of groups with such alphas: measured, the rest of the time, how often alpha is paid, the group."""
    groups = np.repeat(np.arange(len(alphas)), each)
    rest = RNG.uniform(1e-3, 2e-2, len(groups))
    layers = np.full(len(groups), 61.0)
    measured = (rest + np.array(alphas)[groups] * layers) * np.exp(noise * RNG.normal(size=len(groups)))
    return measured, rest, layers, groups


def origins_of(groups: np.ndarray, cells: list[int], *, engines: list[int] | None = None, studies: list[int] | None = None):
    """Of each run: its group, and of its group the cell, which is a family of its own, the engine and the study."""
    return Origins(
        group=groups,
        cell=np.array(cells)[groups],
        family=np.array(cells)[groups],
        engine=np.array(engines or [0] * len(cells))[groups],
        study=np.array(studies or [-1] * len(cells))[groups],
    )


def fitted(alphas: list[float], cells: list[int], *, each: int = 40, **more: list[int]):
    measured, rest, layers, groups = runs_of(alphas, each=each)
    return fit_layer_times(measured_s=measured, rest_s=rest, per_layer=layers, origins=origins_of(groups, cells, **more))


def test_alpha_of_a_cell_is_found() -> None:
    layer = fitted([60e-6, 62e-6, 58e-6, 61e-6], [0, 0, 0, 0])
    assert np.exp(layer.log_s[0]) == pytest.approx(60e-6, rel=0.08)
    assert list(layer.groups) == [4]


def test_a_cell_without_runs_is_as_the_prior_and_its_engine_elsewhere_say() -> None:
    measured, rest, layers, groups = runs_of([40e-6, 42e-6, 60e-6])
    measured[groups == 2] = np.nan
    origins = origins_of(groups, [0, 0, 1])
    layer = fit_layer_times(measured_s=measured, rest_s=rest, per_layer=layers, origins=origins)
    assert 41e-6 < np.exp(layer.log_s[1]) < PRIOR_LAYER_S
    assert layer.log_sd[0] < 0.2 < layer.log_sd[1]
    assert list(layer.groups) == [2, 0]
    nothing = fit_layer_times(measured_s=np.full_like(rest, np.nan), rest_s=rest, per_layer=layers, origins=origins)
    assert np.exp(nothing.log_s) == pytest.approx([PRIOR_LAYER_S] * 2)


def test_a_wild_group_and_wild_runs_pull_little() -> None:
    measured, rest, layers, groups = runs_of([60e-6] * 5 + [600e-6])
    measured[::9] *= 3.0
    layer = fit_layer_times(measured_s=measured, rest_s=rest, per_layer=layers, origins=origins_of(groups, [0] * 6))
    assert np.exp(layer.log_s[0]) == pytest.approx(60e-6, rel=0.1)


def test_a_group_left_out_is_predicted_from_its_relatives() -> None:
    layer = fitted([50e-6, 50e-6, 90e-6], [0, 0, 1], each=60, engines=[0, 0, 1])
    assert 50e-6 < np.exp(layer.without[-1]) < PRIOR_LAYER_S
    assert np.exp(layer.without[0]) == pytest.approx(52e-6, rel=0.15)


def test_a_study_that_is_slow_throughout_says_less_than_as_many_groups_of_many() -> None:
    one, many = (fitted([120e-6] * 4, [0] * 4, studies=studies).log_s[0] for studies in ([0] * 4, [0, 1, 2, 3]))
    assert one < many < np.log(120e-6)


def test_few_runs_are_shrunk_further_than_many() -> None:
    few, many = (np.exp(fitted([30e-6], [0], each=each).log_s[0]) for each in (4, 200))
    assert 30e-6 < many < few < PRIOR_LAYER_S


def test_offsets_are_medians_of_groups_shrunk_to_nothing() -> None:
    groups = np.repeat([0, 1, 2], [100, 100, 3])
    error = np.repeat([0.2, 0.2, 9.0], [100, 100, 3])
    classes = np.zeros(203, dtype=np.int64)
    offset, without = offsets(error=error, groups=groups, classes=classes, count=2, believed=np.ones(203, dtype=np.bool_))
    assert 0.09 < offset[0] < 0.2
    assert offset[1] == 0.0
    assert without[0] < offset[0]


def test_an_interval_holds_its_share_of_new_groups() -> None:
    """Simulated: 40 groups that differ in spread, factor from 30 of them, share held by the other 10."""
    held = []
    for _ in range(60):
        spread = RNG.lognormal(-2.5, 0.5, 40)
        groups = np.repeat(np.arange(40), 20)
        error = spread[groups] * RNG.normal(size=len(groups))
        factor = interval_factor(error=error[groups < 30], groups=groups[groups < 30])
        held.append(np.mean(np.abs(error[groups >= 30]) <= np.log(factor)))
    assert 0.9 <= np.mean(held) <= 0.95


def test_an_interval_for_fewer_groups_still_holds_its_share_of_runs() -> None:
    """A few small groups that are off by hundreds do not make it as wide where less is claimed of groups."""
    groups = np.concatenate([np.repeat(np.arange(10), 100), np.arange(10, 13)])
    error = np.concatenate([0.1 * RNG.normal(size=1_000), [5.0, 5.0, 5.0]])
    strict, loose = (interval_factor(error=error, groups=groups, of_groups=share) for share in (0.9, 0.7))
    assert loose < 1.4
    assert strict > 100
    assert np.mean(np.abs(error) <= np.log(loose)) >= 0.9


def test_too_few_groups_claim_nothing() -> None:
    assert np.isnan(interval_factor(error=np.full(50, 0.1), groups=np.repeat(np.arange(5), 10)))
    assert np.isfinite(interval_factor(error=np.full(200, 0.1), groups=np.repeat(np.arange(20), 10)))
