"""Who wins between all three architectures, and how cleanly winners divide a grid."""

import numpy as np
import pytest

from economics.serving.cost import ARCHITECTURES, cost
from economics.serving.partition import DECIDING, WINNERS, first_largest, partition
from economics.serving.partition_map import OUTCOMES, cleanness, race
from tests.serving.scenarios import ALL_DENSE, golden, random_scenario


@pytest.mark.parametrize("refinements", [None, ALL_DENSE])
def test_the_winner_is_the_cheapest_of_three(refinements):
    scenario = random_scenario(5000, seed=60, **({"refinements": refinements} if refinements else {}))
    found = race(scenario)
    usd = np.array([cost(scenario=scenario, architecture=name).usd_per_mtok for name in ARCHITECTURES])
    least = usd.min(axis=0)
    np.testing.assert_array_equal(found.winner == 0, np.isinf(least))
    won = found.winner > 0
    own = usd[found.winner[won] - 1, np.flatnonzero(won)]
    assert np.all(own <= least[won] * (1 + 1e-9))
    assert set(np.unique(found.winner)) == {0, 1, 2, 3}


def test_without_stalls_it_agrees_with_the_partition_of_two():
    scenario = random_scenario(3000, seed=61, tpot_definition="per_token_max")
    three, two = race(scenario), partition(scenario)
    same = three.winner != OUTCOMES.index("unchunked")
    names = np.array(OUTCOMES)[three.winner[same]]
    np.testing.assert_array_equal(names, np.array(WINNERS)[two.winner[same]])
    np.testing.assert_array_equal(three.deciding_term[same], two.deciding_term[same])


def test_margin_is_against_the_other_kind():
    found = race(golden(input_per_output=np.array([1.0, 100.0])))
    assert [OUTCOMES[code] for code in found.winner] == ["chunked", "disaggregated"]
    np.testing.assert_allclose(found.margin, [0.0058, 1 / 0.927 - 1], atol=6e-4)


@pytest.mark.parametrize(
    ("symbols", "winner", "term"),
    [
        ({"input_per_output": 1.0}, "chunked", "prefill"),
        ({"tpot_s": 0.02, "input_per_output": 20.0}, "disaggregated", "decode"),
        ({"bandwidth_bytes_per_s": 5e8}, "chunked", "feasibility"),
        ({"ttft_s": 0.1}, "none", "none"),
        # Stalls average out over a request, while chunks that may fill a third of a step only cost more.
        (
            {"input_per_output": 20.0, "tpot_s": 0.1, "chunk_utilisation": 0.3, "tpot_definition": "per_request_mean"},
            "unchunked",
            "prefill",
        ),
    ],
)
def test_winner_and_term(symbols, winner, term):
    found = race(golden(**symbols))
    assert (OUTCOMES[found.winner], DECIDING[found.deciding_term]) == (winner, term)


def test_a_clean_half_has_no_isolated_winner_and_one_line_of_boundary():
    halves = np.ones((1, 4, 6), dtype=np.int8)
    halves[:, :, 3:] = 2
    found = cleanness(halves)
    assert found.isolated_share == [0.0]
    assert found.boundary_share == pytest.approx(4 / (3 * 6 + 4 * 5))


def test_a_lone_winner_is_isolated_and_an_infeasible_cell_is_not():
    grids = np.ones((2, 3, 3), dtype=np.int8)
    grids[:, 1, 1] = [2, 0]
    found = cleanness(grids)
    assert found.isolated_share == pytest.approx([1 / 9, 0.0])
    assert found.boundary_share == pytest.approx([4 / 12, 4 / 12])


def test_a_chessboard_is_all_boundary():
    rows, columns = np.indices((4, 4))
    found = cleanness(((rows + columns) % 2 + 1)[None])
    assert (found.isolated_share, found.boundary_share) == ([1.0], [1.0])


def test_the_first_of_the_largest_decides():
    values = [np.array([1.0, 5.0, -1.0]), np.array([[2.0], [0.0]]), np.array([2.0, 5.0, -3.0])]
    together = np.argmax(np.stack(np.broadcast_arrays(*values)), axis=0)
    np.testing.assert_array_equal(first_largest(values), together)
    np.testing.assert_array_equal(together, [[1, 0, 1], [2, 0, 1]])
