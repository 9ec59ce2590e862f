"""Hosting against calling as tables: by hand on small frames, and what must hold of the refreshed ones."""

from datetime import date

import polars as pl
import pytest

from assets.serving.host_or_call import by_month, cheapest_calls, compared, sellable

WORKLOADS = pl.DataFrame(
    {
        "workload": ["chat", "agent"],
        "input_tokens": [1000.0, 10_000.0],
        "output_tokens": [100.0, 500.0],
        "cached_share": [0.0, 0.5],
    }
)
PRICES = pl.DataFrame(
    {
        "provider": ["dear", "cached", "odd"],
        "model": ["m", "m", "m"],
        "input_usd_per_mtok": [1.0, 1.1, 0.01],
        "output_usd_per_mtok": [4.0, 4.0, 0.01],
        "cache_read_usd_per_mtok": [None, 0.1, None],
        "cache_write_usd_per_mtok": [None, None, None],
        "batch_input_usd_per_mtok": [None, None, None],
        "batch_output_usd_per_mtok": [None, None, None],
        "evidence_on": [date(2026, 11, 1)] * 3,
        "is_stale": [False, False, False],
    },
    schema_overrides=dict.fromkeys(
        ("cache_write_usd_per_mtok", "batch_input_usd_per_mtok", "batch_output_usd_per_mtok"), pl.Float64
    ),
)


def test_the_cheapest_seller_depends_on_the_cache():
    current = pl.DataFrame({"provider": ["odd"], "model": ["m"], "is_far_from_peers": [True]})
    found = {row["workload"]: row for row in cheapest_calls(sellable(PRICES, current), WORKLOADS).iter_rows(named=True)}
    assert found["chat"]["seller"] == "dear"
    assert found["chat"]["usd_per_request"] == pytest.approx(0.0014)
    # 10,000 tokens, half of them from cache: 5,000 x $1.1 + 5,000 x $.1 + 500 x $4 per million.
    assert found["agent"]["seller"] == "cached"
    assert found["agent"]["usd_per_request"] == pytest.approx(0.008)


def host(**changed):
    row = {
        "model": "m",
        "workload": "chat",
        "gpu": "g",
        "precision": "bf16",
        "seller": "s",
        "usd_per_request": 0.001,
        "price_evidence_on": date(2026, 11, 1),
        "term": "on_demand",
        "usd_per_gpu_hour": 2.0,
        "engine": "vllm",
        "gpus_per_instance": 2.0,
        "capacity_per_s": 4.0,
        "capacity_low_per_s": 0.0,
        "capacity_high_per_s": 8.0,
        "limit": "tpot",
        "basis": "group",
    }
    return pl.DataFrame([row | changed])


def test_a_row_by_hand():
    # $4 an hour carries 2 requests/s on average: $7.2 an hour of calls. m = $2,337.6, c H = $2,922: n = 2, $5,844 a month.
    rows = compared(host())
    assert rows["break_even_per_day"][0] == pytest.approx(2 * 4.0 / 3.6 * 86_400)
    assert rows["break_even_low_per_day"][0] < rows["break_even_per_day"][0]
    assert rows["break_even_high_per_day"][0] is None
    assert rows["least_utilisation"][0] == pytest.approx(4.0 / (4 * 3.6))
    at = {row["requests_per_day"]: row for row in rows.iter_rows(named=True)}
    assert at[10_000.0]["cheaper"] == "call"
    assert at[1_000_000.0]["instances"] == 6  # 11.57 requests/s that peak at 23.1, of 4 each
    assert at[1_000_000.0]["hosted_usd_per_month"] == pytest.approx(6 * 4 * 730.5)
    assert at[1_000_000.0]["cheaper"] == "host"


def test_months_with_a_price_and_a_rent_tell_when_it_stopped(warehouse):
    asked = "SELECT * FROM marts.host_or_call_by_month WHERE model = 'llama-3.3-70b' AND workload = 'chat'"
    months = warehouse.sql(asked).pl()
    assert months["as_of"].n_unique() == months.height > 3
    assert (months["pays"] == months["break_even_per_day"].is_not_null()).all()
    assert months.filter(pl.col("pays"))["least_utilisation"].max() < 0.5  # the peak is twice the mean


def test_the_table_agrees_with_its_macro(warehouse):
    both = warehouse.sql("""
        SELECT mart.hosted_usd_per_month AS a, macro.hosted_usd_per_month AS b, mart.break_even_per_day AS c,
            macro.break_even_per_day AS d, mart.called_usd_per_month AS e, macro.called_usd_per_month AS f
        FROM marts.host_or_call AS mart
        JOIN marts.host_or_call_on(NULL, 100000, workload := 'agent') AS macro USING (model, gpu)
        WHERE mart.workload = 'agent' AND mart.requests_per_day = 100000
    """).pl()
    assert both.height > 500, both.height
    for one, other in (("a", "b"), ("c", "d"), ("e", "f")):
        left, right = both[one], both[other]
        assert (left.is_null() == right.is_null()).all()
        assert ((left - right).abs() <= 1e-6 * left.abs()).drop_nulls().all()


def test_every_open_model_with_a_seller_is_there(warehouse):
    models, gpus = warehouse.sql("SELECT count(DISTINCT model), count(DISTINCT gpu) FROM marts.host_or_call").fetchall()[0]
    assert models > 100
    assert gpus > 10
    names = {"model": pl.String, "workload": pl.String, "gpu": pl.String}
    nothing = by_month(
        pl.DataFrame(schema=names | {"gpus_per_instance": pl.Float64, "capacity_per_s": pl.Float64}),
        warehouse.sql("FROM core.monthly_price LIMIT 5").pl(),
        warehouse.sql("FROM core.gpu_rent LIMIT 5").pl(),
        WORKLOADS,
        until=date(2026, 12, 1),
    )
    assert nothing.is_empty()
