"""The break-even surface: golden values through the mart's own code, and the published tables against the closed forms."""

import duckdb
import numpy as np
import polars as pl
import pytest

from assets.serving.pairs import AXES, GPUS, MODELS
from assets.serving.surface import CODES, surface_of
from economics.serving.cost import cost
from economics.serving.partition import DECIDING
from economics.serving.partition_map import OUTCOMES
from economics.serving.symbols import Contract, Hardware, Model, RequestShape, Scenario, Transfer
from schemas.serving import surface as contract
from schemas.serving.surface import SETTINGS
from tests.serving.scenarios import GPUS as GOLDEN_GPUS
from tests.serving.scenarios import PRICE

WIDTHS = np.array([25e9, 50e9, 300e9])


def golden_pair(gpu: str):
    """Rows of the three input tables as the golden values state them: Llama-3.1-8B on one GPU."""
    flops_per_s, hbm_bytes_per_s, hbm_bytes = GOLDEN_GPUS[gpu]
    hardware = {
        "gpu": gpu,
        "bf16_flop_per_s": flops_per_s,
        "hbm_bytes_per_s": hbm_bytes_per_s,
        "hbm_bytes": hbm_bytes,
        "scale_up_bytes_per_s": None,
        "pcie_bytes_per_s": None,
        "nic_bytes_per_s": None,
        "status": "printed",
    }
    shape = {
        "model": "llama-3.1-8b",
        "layers": 32,
        "hidden": 4096,
        "query_heads": 32,
        "head_dim": 128,
        "value_head_dim": None,
        "parameters": 8.0e9,
        "active_parameters": 8.0e9,
        "kv_bytes_per_token": 131_072.0,
        "status": "printed",
    }
    return hardware, shape, {"usd_per_gpu_hour": PRICE, "term": "on_demand", "valid_from": None}


def golden_surface(gpu: str, *, ratios=(1.0,), tpots_s=(0.05,), widths=WIDTHS):
    """The surface where the arrivals make the prefill pool eight replicas, as in the golden values."""
    service_s = 3500.0 * 16e9 / (0.5 * GOLDEN_GPUS[gpu][0])
    idle = np.log(100.0) * service_s / (2.0 * (1.0 - service_s))
    rate_per_s = (7.5 - idle) / service_s
    axes = {
        "input_per_output": np.array(ratios),
        "arrival_rate_per_s": np.array([rate_per_s]),
        "kv_bytes_per_s_per_gpu": np.array(widths),
        "tpot_s": np.array(tpots_s),
        "ttft_s": np.array([1.0]),
    }
    return surface_of([golden_pair(gpu)], axes)


@pytest.mark.parametrize(
    ("gpu", "tpot_s", "expected"),
    [
        *((gpu, tpot_s, ["always"] * 3) for gpu in GOLDEN_GPUS for tpot_s in (0.015, 0.025)),
        ("A100", 0.050, [6.3, 2.7, 1.8]),
        ("A100", 0.100, ["never"] * 3),
        ("H100", 0.050, ["never", 29.9, 9.4]),
        ("H100", 0.100, ["never", "never", 73.1]),
        ("H200", 0.050, ["never", "never", 4.7]),
        ("H200", 0.100, ["never"] * 3),
    ],
)
def test_golden_table(gpu, tpot_s, expected):
    found = golden_surface(gpu, tpots_s=[tpot_s])
    assert found["replica_gpus"].unique().to_list() == [1]
    verdicts = [CODES["input_per_output_verdict"][code] for code in found["input_per_output_verdict"]]
    values = [
        verdict if value is None else round(value, 1)
        for value, verdict in zip(found["break_even_input_per_output"], verdicts, strict=True)
    ]
    assert values == expected


def test_pairs_asked_together_are_those_asked_alone():
    linked = {"scale_up_bytes_per_s": 450e9}
    of = [(hardware | linked, shape, price) for hardware, shape, price in map(golden_pair, GOLDEN_GPUS)]
    hardware, shape, price = of[0]
    larger = {"model": "llama-3.1-70b", "parameters": 70e9, "active_parameters": 70e9}
    of.insert(1, (hardware, shape | larger, price | {"usd_per_gpu_hour": 3.0}))
    together = surface_of(of)
    assert together["replica_gpus"].unique().sort().to_list() == [1, 4]
    assert together.equals(pl.concat(surface_of([pair]) for pair in of))


@pytest.mark.parametrize(
    ("tpot_s", "ratios", "expected"),
    [(0.05, [1.0, 10.0, 100.0], [1.006, 0.997, 0.927]), (0.02, [1.0, 10.0, 30.0], [0.959, 0.821, 0.762])],
)
def test_golden_cost_ratios(tpot_s, ratios, expected):
    found = golden_surface("H100", ratios=ratios, tpots_s=[tpot_s], widths=[300e9])
    ratio = found["disaggregated_usd_per_mtok"] / found["chunked_usd_per_mtok"]
    np.testing.assert_array_equal(np.round(ratio.to_numpy(), 3), expected)


def test_the_slack_is_what_the_weight_read_leaves():
    found = golden_surface("H100", tpots_s=[0.05])
    assert found["tpot_slack"][0] == pytest.approx(0.05 / (16e9 / (0.8 * 3.35e12)) - 1)


def test_words_of_the_contract_are_those_of_the_closed_forms():
    assert (contract.WINNERS, contract.DECIDING) == (OUTCOMES, DECIDING)


def test_the_surface_is_the_whole_grid_for_every_pair(warehouse: duckdb.DuckDBPyConnection):
    cells = int(np.prod([len(values) for values in AXES.values()]))
    found = warehouse.execute(
        "SELECT setting, gpu, model, count(*) FROM marts.break_even_surface GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert {(gpu, model) for _, gpu, model, _ in found} == {(gpu, model) for gpu in GPUS for model in MODELS}
    assert {n for *_, n in found} == {cells}
    assert len(found) == len(GPUS) * len(MODELS) * len(SETTINGS)
    assert sum(n for *_, n in found) < 500_000


def test_a_stored_cell_is_the_closed_form_of_its_own_inputs(warehouse: duckdb.DuckDBPyConnection):
    """Built by hand from the published tables, without the mart's code: every plain cell of one pair."""
    cells = warehouse.sql("""
        SELECT s.*, g.bf16_flop_per_s, g.hbm_bytes_per_s, g.hbm_bytes, m.parameters, m.kv_bytes_per_token
        FROM marts.break_even_surface s JOIN core.gpu g USING (gpu) JOIN core.model_shape m USING (model)
        WHERE setting = 'plain' AND gpu = 'h100-sxm' AND model = 'llama-3.1-70b'
    """).pl()
    column = {name: cells[name].cast(float).to_numpy() for name, kind in cells.schema.items() if kind.is_numeric()}
    gpus = column["replica_gpus"]
    scenario = Scenario(
        hardware=Hardware(
            usd_per_gpu_hour=column["gpu_usd_per_hour"],
            flops_per_s=column["bf16_flop_per_s"],
            hbm_bytes_per_s=column["hbm_bytes_per_s"],
            hbm_bytes=column["hbm_bytes"],
            gpus=gpus,
        ),
        model=Model(
            active_parameters=column["parameters"],
            weight_bytes=2 * column["parameters"],
            kv_bytes_per_token=column["kv_bytes_per_token"],
        ),
        workload=RequestShape(
            input_tokens=3500.0,
            input_per_output=column["input_per_output"],
            context_tokens=4096.0,
            arrival_rate_per_s=column["arrival_rate_per_s"],
        ),
        contract=Contract(ttft_s=column["ttft_s"], tpot_s=column["tpot_s"]),
        transfer=Transfer(bandwidth_bytes_per_s=column["kv_bytes_per_s_per_gpu"] * gpus),
    )
    for architecture in ("unchunked", "chunked", "disaggregated"):
        usd = cost(scenario=scenario, architecture=architecture).usd_per_mtok
        stored = column[f"{architecture}_usd_per_mtok"]
        np.testing.assert_allclose(stored, np.where(np.isfinite(usd), usd, np.nan), rtol=1e-12)


@pytest.mark.parametrize(
    ("verdict", "side"),
    [
        ("kv_verdict", "kv_bytes_per_s_per_gpu > break_even_kv_bytes_per_s_per_gpu"),
        ("arrival_rate_verdict", "arrival_rate_per_s > break_even_arrival_rate_per_s"),
        ("tpot_verdict", "tpot_s < break_even_tpot_s"),
        ("input_per_output_verdict", "input_per_output > break_even_input_per_output"),
    ],
)
def test_a_cell_is_on_the_side_of_its_break_even_that_its_costs_say(
    warehouse: duckdb.DuckDBPyConnection, verdict: str, side: str
):
    """Everywhere along bandwidth and rate; along the others costs may cross twice, which is rare."""
    (wrong,) = warehouse.execute(f"""
        SELECT avg((
            (disaggregated_usd_per_mtok < chunked_usd_per_mtok)
            != CASE {verdict} WHEN 'always' THEN true WHEN 'never' THEN false ELSE {side} END
        )::INT)
        FROM marts.break_even_surface
        WHERE disaggregated_usd_per_mtok IS NOT NULL AND chunked_usd_per_mtok IS NOT NULL AND {verdict} <> 'varies'
    """).fetchone() or (None,)
    assert wrong == 0 if verdict in ("kv_verdict", "arrival_rate_verdict") else wrong < 0.01


def test_the_summary_counts_what_the_surface_holds(warehouse: duckdb.DuckDBPyConnection):
    (worst,) = warehouse.execute("""
        WITH counted AS (
            SELECT setting, gpu, model,
                   avg((winner = 'chunked')::INT) AS chunked, avg((winner = 'disaggregated')::INT) AS split,
                   median(break_even_tpot_s) AS tpot_s
            FROM marts.break_even_surface GROUP BY ALL
        )
        SELECT max(abs(chunked - chunked_share) + abs(split - disaggregated_share) + abs(tpot_s / crossover_tpot_s - 1)
                   + abs(unchunked_share + chunked_share + disaggregated_share + infeasible_share - 1))
        FROM marts.partition_summary JOIN counted USING (setting, gpu, model)
    """).fetchone() or (None,)
    assert worst < 1e-9


def test_the_summary_says_where_step_times_come_from(warehouse: duckdb.DuckDBPyConnection):
    found = warehouse.execute(
        "SELECT setting, refinements, calibration, engine, precision, gpu_status FROM marts.partition_summary "
        "WHERE gpu = 'h100-sxm' AND model = 'llama-3.1-70b' ORDER BY setting"
    ).fetchall()
    told = {setting: rest for setting, *rest in found}
    assert told["plain"] == ["none", "default", None, "bf16", "printed"]
    refinements, *rest = told["measured"]
    assert "TTFT coupling" in refinements
    assert rest == ["fitted", "vllm", "bf16", "printed"]


def test_sparse_models_are_served_in_the_format_of_their_checkpoint(warehouse: duckdb.DuckDBPyConnection):
    found = dict(warehouse.sql("SELECT DISTINCT model, precision FROM marts.partition_summary").fetchall())
    assert (found["deepseek-v3"], found["gpt-oss-120b"], found["qwen3-32b"]) == ("fp8", "mxfp4", "bf16")


def test_engines_are_those_measured_most_on_the_gpu_and_unmeasured_gpus_take_their_family(warehouse: duckdb.DuckDBPyConnection):
    found = dict(
        warehouse.sql("SELECT DISTINCT gpu, engine_evidence FROM marts.partition_summary WHERE engine IS NOT NULL").fetchall()
    )
    assert set(found) == set(GPUS)
    assert [gpu for gpu, evidence in found.items() if evidence == "family"] == ["b300-sxm"]


def test_alpha_turns_few_winners(warehouse: duckdb.DuckDBPyConnection):
    ((worst, mean),) = warehouse.sql(
        "SELECT min(unchanged_share), avg(unchanged_share) FROM marts.partition_summary"
    ).fetchall()
    assert 0.5 < worst < 1.0
    assert mean > 0.9


def test_a_rent_lies_between_its_sellers_and_is_the_one_the_surface_uses(warehouse: duckdb.DuckDBPyConnection):
    found = warehouse.execute("""
        SELECT count(*), bool_and(p.usd_per_gpu_hour = s.gpu_usd_per_hour AND p.valid_from = s.gpu_price_on)
        FROM marts.partition_summary s JOIN core.gpu_price p USING (gpu)
    """).fetchone()
    assert found == (len(GPUS) * len(MODELS) * len(SETTINGS), True)
    medians = warehouse.execute("""
        WITH seller AS (
            SELECT provider, median(usd_per_gpu_hour) AS usd FROM core.gpu_rent_current
            WHERE gpu = 'h100-sxm' AND term = 'on_demand' AND statistic = 'price' GROUP BY provider
        )
        SELECT median(usd), min(usd), max(usd) FROM seller
    """).fetchone()
    stored = warehouse.execute(
        "SELECT usd_per_gpu_hour, low_usd_per_gpu_hour, high_usd_per_gpu_hour FROM core.gpu_price WHERE gpu = 'h100-sxm'"
    ).fetchone()
    assert stored == pytest.approx(medians)
