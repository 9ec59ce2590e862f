import numpy as np
import pytest

from economics.serving.break_even import break_even_bandwidth, break_even_ratio
from economics.serving.cost import cost
from economics.serving.partition import DECIDING, WINNERS, partition
from tests.serving.scenarios import ALL_DENSE, changed, golden, random_scenario


def test_the_golden_partition():
    """H100, 50 ms, 300 GB/s: chunked colocation wins below r = 9.4, disaggregation above, because of decode."""
    found = partition(golden(input_per_output=np.array([1.0, 9.39, 9.40, 10.0, 100.0])))
    assert [WINNERS[code] for code in found.winner] == ["chunked"] * 2 + ["disaggregated"] * 3
    np.testing.assert_array_equal(np.round(found.cost_ratio[[0, 3, 4]], 3), [1.006, 0.997, 0.927])
    np.testing.assert_allclose(found.break_even_input_per_output, 9.395, atol=1e-3)
    assert {DECIDING[code] for code in found.deciding_term[2:]} == {"decode"}


@pytest.mark.parametrize(
    ("symbols", "winner", "term"),
    [
        ({"input_per_output": 1.0}, "chunked", "prefill"),
        ({"input_per_output": 20.0, "bandwidth_bytes_per_s": 10e9}, "chunked", "kv_tax"),
        ({"overlap": 1.0, "input_per_output": 20.0, "overlap_share": 1.0, "percentile": 0.5}, "chunked", "overlap"),
        ({"disaggregated_attainment": 0.5, "input_per_output": 20.0}, "chunked", "attainment"),
        ({"tpot_s": 0.02, "input_per_output": 20.0}, "disaggregated", "decode"),
        ({"bandwidth_bytes_per_s": 5e8}, "chunked", "feasibility"),
        ({"ttft_s": 0.1}, "none", "none"),
    ],
)
def test_the_deciding_term_is_named(symbols, winner, term):
    found = partition(golden(**symbols))
    assert (WINNERS[found.winner], DECIDING[found.deciding_term]) == (winner, term)


@pytest.mark.parametrize("refinements", [None, ALL_DENSE])
def test_winner_ratio_and_break_even_agree_with_the_costs(refinements):
    scenario = random_scenario(3000, seed=40, **({"refinements": refinements} if refinements else {}))
    found = partition(scenario, points=500)
    split, mixed = (cost(scenario=scenario, architecture=name).usd_per_token for name in ("disaggregated", "chunked"))
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(found.cost_ratio, split / mixed)
    wins = WINNERS.index("disaggregated")
    np.testing.assert_array_equal(found.winner == wins, split < mixed)
    np.testing.assert_array_equal(found.winner == 0, np.isinf(split) & np.isinf(mixed))
    # The winner is on the right side of the break-even bandwidth, save for rounding at the boundary.
    width, value = scenario.transfer.bandwidth_bytes_per_s, found.break_even_bandwidth_bytes_per_s
    both = np.isfinite(split) & np.isfinite(mixed)
    np.testing.assert_array_equal((width > value)[both], (found.winner == wins)[both])


def test_blocks_cover_a_grid_of_several_axes():
    scenario = golden(
        input_per_output=np.geomspace(0.5, 100.0, 13)[:, None, None],
        tpot_s=np.array([0.02, 0.05, 0.1])[:, None],
        bandwidth_bytes_per_s=np.array([25e9, 50e9, 300e9, 900e9]),
    )
    whole, blocks = partition(scenario), partition(scenario, points=7)
    assert whole.winner.shape == (13, 3, 4)
    for name in ("winner", "cost_ratio", "deciding_term", "break_even_tpot_s", "break_even_arrival_rate_per_s"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(blocks, name))
    np.testing.assert_array_equal(
        blocks.break_even_bandwidth_bytes_per_s, np.broadcast_to(break_even_bandwidth(scenario), (13, 3, 4))
    )
    np.testing.assert_array_equal(blocks.break_even_input_per_output, np.broadcast_to(break_even_ratio(scenario), (13, 3, 4)))


def test_codes_are_small():
    found = partition(changed(golden(), input_per_output=np.geomspace(1.0, 10.0, 5)))
    assert found.winner.dtype == found.deciding_term.dtype == np.int8
