"""Each refinement against the same contract without it: which terms move, which way, and every one has its row."""

from dataclasses import fields

import numpy as np
import polars as pl
import pytest

from assets.serving.pairs import GPUS, MODELS
from assets.serving.refinements import SWITCHES
from economics.serving.symbols import Refinements

COLOCATED = ("overlap", "overlap_measured", "ttft_coupling", "place_queue", "chunk_tokens")
SPLIT = ("prefill_pool_efficiency", "decode_pool_efficiency", "achieved_link_share", "prefill_hardware")
DEARER = {
    "ttft_coupling",
    "prefill_pool_efficiency",
    "decode_pool_efficiency",
    "integer_pools",
    "place_queue",
    "chunk_tokens",
    "decode_compute_bound",
    "tensor_parallel_communication",
    "expert_parallel_communication",
}
CHEAPER = {"overlap", "overlap_measured", "experts_touched"}
MEASURED_DEARER = {"fixed_time", "fixed_time_high", "links"}
MEASURED_CHEAPER = {"experts_touched", "spread"}
SAW_TOOTH = ("prefill_attention", "achieved_link_share")
"""They may add a replica to the prefill pool, in which a larger pool then queues less."""
DESIGNS = ("unchunked", "chunked", "disaggregated")


@pytest.fixture
def rows(warehouse):
    return warehouse.sql("FROM marts.serving_refinements WHERE setting = 'plain'").pl()


@pytest.fixture
def terms(warehouse):
    return warehouse.sql("FROM marts.serving_refinements WHERE setting = 'measured'").pl()


def test_every_refinement_has_rows(rows):
    with_another = {
        "prefill_efficiency",
        "draft_acceptance",
        "draft_cost_ratio",
    }  # tried with the symbol they belong to
    symbols = {field.name for field in fields(Refinements)} - with_another
    assert symbols == {next(iter(switch.symbols)) for switch in SWITCHES}
    assert set(rows["refinement"]) == {switch.name for switch in SWITCHES}
    pairs = len(GPUS) * len(MODELS)
    assert rows.height == 9 * (pairs * (len(SWITCHES) - 2) + pairs // 2 * 2)
    assert rows.filter(refinement="experts_touched")["model"].n_unique() == len(MODELS) // 2


@pytest.mark.parametrize("name", sorted(MEASURED_DEARER | MEASURED_CHEAPER))
def test_a_term_of_the_measured_forms_moves_colocated_cost_one_way(terms, name):
    """A pool of whole replicas is a saw tooth, so disaggregation is left out."""
    mine = terms.filter(refinement=name)
    changes = np.concatenate([mine[f"{design}_change"].drop_nulls().to_numpy() for design in ("unchunked", "chunked")])
    signed = changes if name in MEASURED_DEARER else -changes
    assert np.all(signed >= -1e-6)
    assert np.any(signed > 1e-4)


def test_terms_stand_beside_the_same_measured_answer(terms):
    """With the term is the surface's answer; of what is tried beyond it, without is."""
    beyond = {"fixed_time_high", "prefix_hit_share", "achieved_link_share"}
    key = ["gpu", "model", "input_per_output", "ttft_s", "tpot_s"]
    having = terms.filter(~pl.col("refinement").is_in(beyond)).group_by(key).agg(pl.col("with_chunked_usd_per_mtok").n_unique())
    assert having["with_chunked_usd_per_mtok"].max() == 1


@pytest.mark.parametrize("name", sorted(DEARER | CHEAPER))
def test_a_refinement_moves_cost_one_way(rows, name):
    """Contracts that only one side can meet have no change."""
    mine = rows.filter(refinement=name)
    changes = np.concatenate([mine[f"{design}_change"].drop_nulls().to_numpy() for design in DESIGNS])
    signed = changes if name in DEARER else -changes
    assert np.all(signed >= -1e-9)
    assert np.any(signed > 1e-4)


@pytest.mark.parametrize("name", SAW_TOOTH)
def test_a_slower_prefill_or_link_costs_more_as_a_rule(rows, name):
    change = rows.filter(refinement=name)["disaggregated_change"].drop_nulls()
    assert change.median() > 0.005
    assert (change < -1e-9).mean() < 0.1
    assert change.min() > -0.05


@pytest.mark.parametrize(("names", "untouched"), [(COLOCATED, ["disaggregated"]), (SPLIT, ["unchunked", "chunked"])])
def test_a_refinement_of_one_kind_leaves_the_other(rows, names, untouched):
    mine = rows.filter(rows["refinement"].is_in(names))
    for design in untouched:
        assert mine[f"{design}_change"].drop_nulls().abs().max() == 0.0


def test_an_efficiency_of_a_pool_divides_at_most_all_of_the_cost(rows):
    for name, share in (("prefill_pool_efficiency", 0.9), ("decode_pool_efficiency", 0.92)):
        change = rows.filter(refinement=name)["disaggregated_change"].drop_nulls()
        assert 0.0 < change.min() < change.max() < 1.0 / share - 1.0


def test_the_surface_and_this_table_agree_where_they_meet(warehouse):
    """Without a refinement that the plain setting has not, the cost is that of the surface."""
    apart = warehouse.sql("""
        SELECT max(abs(r.without_chunked_usd_per_mtok / s.chunked_usd_per_mtok - 1)), count(*)
        FROM marts.serving_refinements r JOIN marts.break_even_surface s
          USING (setting, gpu, model, input_per_output, arrival_rate_per_s, ttft_s, tpot_s)
        WHERE r.refinement = 'integer_pools' AND s.kv_bytes_per_s_per_gpu = 50e9
    """).fetchall()[0]
    assert apart[0] < 1e-12
    assert apart[1] == 864
