"""What the market buys: sums equal the data files, nothing counts twice, and what is not known is not a number."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml

from assets.prices.gpu_rents import fold, spells, with_earlier_days
from assets.prices.market import fullest_months, paid_beside_list, under, with_shares
from schemas.base import empty
from schemas.prices import market as contract
from schemas.prices.gpu_rents import GpuRent
from schemas.quarantine import Parsed, Rejected
from sources.prices import gpu_markets, market_seeds, rent_index, router_live
from sources.prices.router_sellers import with_seller
from sources.source import Seed, Snapshot, Source, content_hash
from sources.transports.http import Policy
from sources.transports.ladder import load
from tests.live_server import HERE, LiveServer, document
from warehouse.history import holding_on
from warehouse.resources import Settings

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "pricing" / "market"
DAY = datetime(2026, 8, 9, 12, tzinfo=UTC)
SEEDS = (
    market_seeds.USE,
    market_seeds.PAID,
    market_seeds.ENDPOINTS,
    market_seeds.RENT_INDEX,
    market_seeds.RUNPOD,
    market_seeds.VAST,
)
BODY_LIMIT = 1_000_000


def seed(source: Source) -> Snapshot:
    (floor,) = source.floor
    assert isinstance(floor, Seed)
    body = floor.path.read_bytes()
    return Snapshot(source.name, body, content_hash(body), "seed", floor.path.name, floor.as_of, floor.as_of)


def csv(source: Source, text: str) -> Snapshot:
    return Snapshot(source.name, text.encode(), "0" * 64, "seed", "figures.csv", DAY, DAY)


def answer(name: str, answered: object) -> Snapshot:
    return Snapshot(name, json.dumps(answered).encode(), "0" * 64, "http", "https://example.org/a", DAY, DAY)


def checked(parsed: Parsed, schema: type[contract.Table]) -> pl.DataFrame:
    schema.validate(parsed.accepted)
    Rejected.validate(parsed.rejected)
    return parsed.accepted


USE = checked(market_seeds.parse_use(seed(market_seeds.USE)), contract.RouterUse)


# --- the seeds


def test_seeds_are_small_and_say_where_they_are_from() -> None:
    files = [floor.path for source in SEEDS for floor in source.floor if isinstance(floor, Seed)]
    assert sum(file.stat().st_size for file in files) < BODY_LIMIT
    for file in files:
        assert "83ec0dd" in yaml.safe_load(file.with_suffix(".source.yaml").read_text())["version"]


@pytest.mark.published
def test_sums_by_month_equal_the_data_files() -> None:
    theirs = pl.read_csv(DATA / "openrouter_usage_by_month.csv")
    counts = {
        "requests": "request_count",
        "prompt_tokens": "total_prompt_tokens",
        "completion_tokens": "total_completion_tokens",
        "reasoning_tokens": "total_native_tokens_reasoning",
        "cached_tokens": "total_native_tokens_cached",
    }
    ours = USE.group_by(month=pl.col("month").dt.strftime("%Y-%m")).agg(pl.col(name).sum() for name in counts).sort("month")
    sums = theirs.group_by("month").agg(pl.col(name).sum().alias(ours_name) for ours_name, name in counts.items()).sort("month")
    assert ours.equals(sums)


@pytest.mark.published
def test_other_seeds_equal_the_data_files() -> None:
    paid = checked(market_seeds.parse_paid(seed(market_seeds.PAID)), contract.RouterPricePaid)
    theirs = pl.read_csv(DATA / "openrouter_effective_prices_2026-08-08.csv")
    assert paid["tokens"].sum() == theirs["total_tokens"].sum()
    assert paid["input_usd_per_mtok"].sum() == pytest.approx(theirs["effective_input_price"].sum(), rel=1e-5)
    index = checked(market_seeds.parse_rent_index(seed(market_seeds.RENT_INDEX)), contract.GpuRentIndexFigure)
    assert index["usd_per_gpu_hour"].sum() == pytest.approx(pl.read_csv(DATA / "ornn_gpu_index.csv")["index_value"].sum())


# --- nothing counts twice


def test_a_moving_alias_never_enters() -> None:
    header = (
        "source_model,variant,first_day,last_day,days,requests,prompt_tokens,completion_tokens,reasoning_tokens,cached_tokens\n"
    )
    counted = "2026-07-01,2026-07-31,31,2000,100,10,0,0\n"
    parsed = market_seeds.parse_use(csv(market_seeds.USE, f"{header}a/m,standard,{counted}~a/m-latest,standard,{counted}"))
    assert checked(parsed, contract.RouterUse)["source_model"].to_list() == ["a/m"]
    assert parsed.rejected["rule"].to_list() == ["alias_of_another_model"]
    with pytest.raises(Exception, match="source_model"):
        contract.RouterUse.validate(parsed.accepted.with_columns(source_model=pl.lit("~a/m-latest")))


def test_endpoints_of_aliases_are_refused_and_the_others_are_numbered() -> None:
    parsed = market_seeds.parse_endpoints(seed(market_seeds.ENDPOINTS))
    rows = checked(parsed, contract.RouterEndpoint)
    assert (rows.height, parsed.rejected.height) == (929, 72)
    twice = rows.filter(pl.col("source_model") == "openai/gpt-oss-120b", pl.col("source_provider") == "DeepInfra")
    assert twice.sort("endpoint")["input_usd_per_mtok"].to_list() == [0.037, 0.15]


def test_of_two_documents_of_a_month_the_fuller_stays_and_an_outlier_is_not_believed() -> None:
    month = under(USE, contract.MonthlyUse).filter(
        pl.col("source_model") == "openai/gpt-oss-120b", pl.col("variant") == "standard"
    )
    july = month.filter(pl.col("month") == date(2026, 7, 1))
    fewer = july.with_columns(days=pl.lit(5, pl.Int64), prompt_tokens=pl.lit(10**12, pl.Int64), source=pl.lit("later"))
    believed, suspect = fullest_months(pl.concat([fewer, july]))
    assert believed["days"].to_list() == [31]
    assert suspect.is_empty()
    slipped = july.with_columns(
        prompt_tokens=pl.col("prompt_tokens") * 1_000,
        source=pl.lit("later"),
        days=pl.lit(31, pl.Int64),
        seen_on=pl.lit(date(2026, 9, 1)),
    )
    believed, suspect = fullest_months(pl.concat([slipped, july.with_columns(days=pl.lit(30, pl.Int64))]))
    assert believed["days"].to_list() == [30]
    assert suspect["rule"].to_list() == ["jump_20x"]


# --- shares


def shares(**counts: int) -> dict[str, object]:
    whole = {
        "requests": 10,
        "prompt_tokens": 900,
        "completion_tokens": 100,
        "reasoning_tokens": 60,
        "cached_tokens": 450,
    } | counts
    row = (
        under(USE, contract.MonthlyUse).head(1).with_columns(**{name: pl.lit(value, pl.Int64) for name, value in whole.items()})
    )
    models = pl.DataFrame({"model": ["m"], "reasoning": [False]})
    return with_shares(row.with_columns(model=pl.lit("other")), models).row(0, named=True)


def test_shares_by_hand() -> None:
    row = shares()
    assert (row["input_tokens_per_request"], row["output_tokens_per_request"]) == (90.0, 10.0)
    assert (row["input_per_output"], row["cached_share"], row["reasoning_share"]) == (9.0, 0.5, 0.6)
    assert row["reasoning_factor"] == pytest.approx(100 / 40)


@pytest.mark.parametrize(
    "counts",
    [
        {"reasoning_tokens": 101},
        {"reasoning_tokens": 100},
        {"reasoning_tokens": 0},
        {"completion_tokens": 0, "reasoning_tokens": 0},
    ],
    ids=["more reasoning than output", "all reasoning", "none reported, model may reason", "no output"],
)
def test_reasoning_factor_is_null_where_the_counts_cannot_tell(counts: dict[str, int]) -> None:
    assert shares(**counts)["reasoning_factor"] is None


# --- paid against list


def test_cache_and_discount_are_told_apart() -> None:
    """List 10, half off; cache at a tenth, 80 % hits: (0.2 + 0.8 x 0.1) x 10 x 0.5 = 1.4."""
    paid = pl.DataFrame(
        {
            "source_model": ["a/m"],
            "variant": ["standard"],
            "source_provider": ["NovitaAI"],
            "as_of": [date(2026, 8, 8)],
            "input_usd_per_mtok": [1.4],
            "output_usd_per_mtok": [15.0],
            "cache_hit_rate": [0.8],
            "tokens": [5],
        }
    )
    listed = pl.DataFrame(
        {
            "source_model": ["a/m"],
            "variant": ["standard"],
            "source_provider": ["Novita"],
            "as_of": [date(2026, 8, 8)],
            "input_usd_per_mtok": [5.0],
            "output_usd_per_mtok": [15.0],
            "cache_read_usd_per_mtok": [0.5],
            "discount": [0.5],
            "requests": [7],
        }
    )
    row = paid_beside_list(paid, with_seller(listed)).row(0, named=True)
    assert row["list_input_usd_per_mtok"] == 10.0
    assert row["cache_factor"] == pytest.approx(0.28)
    assert row["input_rest_factor"] == pytest.approx(0.5)
    assert row["output_paid_over_list"] == pytest.approx(0.5)
    assert row["input_paid_over_list"] == pytest.approx(row["cache_factor"] * row["input_rest_factor"])


def test_one_seller_has_one_name() -> None:
    written = ["Novita", "NovitaAI", "Google Vertex (Global)", "Google", "Amazon Bedrock (1)", "SpaceXAI (ZDR)", "Ionstream"]
    told = with_seller(pl.DataFrame({"source_provider": written}))["provider"].to_list()
    assert told == ["novita", "novita", "google-vertex", "google-vertex", "aws-bedrock", "xai", "ionstream"]


# --- rents


def test_a_spell_lasts_as_long_as_the_price() -> None:
    days = gpu_markets.parse_runpod_days(seed(market_seeds.RUNPOD)).accepted
    h100 = spells(days).filter(
        pl.col("source_gpu") == "H100 SXM", pl.col("term") == "on_demand", pl.col("instance_type").is_null()
    )
    assert h100.select("usd_per_gpu_hour", "valid_from", "valid_to").rows() == [
        (2.99, date(2026, 7, 28), date(2026, 8, 5)),
        (3.29, date(2026, 8, 5), date(2026, 8, 9)),
    ]


def test_placeholders_are_no_prices() -> None:
    parsed = gpu_markets.parse_runpod_days(seed(market_seeds.RUNPOD))
    rows = checked(parsed, contract.MarketGpuOffer)
    assert rows.filter(pl.col("usd_per_gpu_hour").is_in([0.0, 0.5])).is_empty()
    assert set(parsed.rejected["rule"]) == {"placeholder_price"}
    assert rows.filter(pl.col("gpu") == "mi300x", pl.col("term") == "marketplace").is_empty()


# --- live


def test_undocumented_sources_are_off_until_a_user_switches_them_on() -> None:
    opt_in = {source.name for source in (router_live.USE, *router_live.PAID, *router_live.ENDPOINTS, *rent_index.SOURCES)}
    assert all(source.opt_in for source in (router_live.USE, *router_live.PAID, *router_live.ENDPOINTS, *rent_index.SOURCES))
    assert not any(source.opt_in for source in (gpu_markets.RUNPOD, *gpu_markets.VAST_SOURCES))
    plain, asked = Settings(), Settings(enabled=frozenset({"router_rankings"}))
    assert not any(plain.asks("router_rankings", name, opt_in=True) for name in opt_in)
    assert asked.asks("router_rankings", "router_use", opt_in=True)
    assert not Settings(enabled=frozenset({"ornn"}), disabled=frozenset({"ornn"})).asks("ornn", "ornn_h200", opt_in=True)


RUNPOD = {
    "data": {
        "gpuTypes": [
            {
                "id": "NVIDIA H100 80GB HBM3",
                "displayName": "H100 SXM",
                "memoryInGb": 80,
                "securePrice": 3.29,
                "communityPrice": 0.5,
            },
            {"id": "unknown", "displayName": "unknown", "memoryInGb": 0, "securePrice": 0.0, "communityPrice": 0.0},
        ]
    }
}


def test_runpod_over_http(live_server: LiveServer, tmp_path: Path) -> None:
    (rung,) = gpu_markets.RUNPOD.live
    path = rung.url.removeprefix("https://api.runpod.io")  # type: ignore[union-attr]
    live_server.serve(path, document(json.dumps(RUNPOD).encode()))
    loaded = load(
        gpu_markets.RUNPOD,
        gpu_markets.parse_runpod,
        bronze_root=tmp_path,
        policy=Policy(private_hosts=HERE),
        offline=False,
        now=DAY,
        urls={"runpod": live_server.url},
    )
    assert loaded.served_from == "http", loaded.problems
    assert loaded.parsed is not None
    rows = checked(loaded.parsed, contract.MarketGpuOffer)
    assert rows.select("gpu", "term", "usd_per_gpu_hour").rows() == [("h100-sxm", "on_demand", 3.29)]


def asked_on(day: datetime, price: float, live_server: LiveServer, folder: Path) -> pl.DataFrame:
    """What RunPod answers on a day at a price, as the tables get it."""
    (rung,) = gpu_markets.RUNPOD.live
    body = json.dumps(RUNPOD).replace("3.29", str(price)).encode()
    live_server.serve(rung.url.removeprefix("https://api.runpod.io"), document(body))  # type: ignore[union-attr]
    loaded = load(
        gpu_markets.RUNPOD,
        gpu_markets.parse_runpod,
        bronze_root=folder,
        policy=Policy(private_hosts=HERE, min_interval_s=0.0),
        offline=False,
        now=day,
        urls={"runpod": live_server.url},
    )
    assert loaded.parsed is not None, loaded.problems
    return loaded.parsed.accepted


@pytest.mark.parametrize("prices", [(3.29, 3.29, 3.29), (3.29, 2.99, 3.29)], ids=["it stands still", "it moves"])
def test_a_later_day_of_a_live_market_withdraws_no_earlier_one(
    prices: tuple[float, ...], live_server: LiveServer, tmp_path: Path
) -> None:
    """The document of a day holds that day alone; days before stay as they were seen."""
    history, offers = empty(GpuRent), empty(contract.MarketGpuOffer)
    days = [DAY, datetime(2026, 8, 10, 12, tzinfo=UTC), datetime(2026, 8, 12, 12, tzinfo=UTC)]
    for day, price in zip(days, prices, strict=True):
        offers = with_earlier_days(asked_on(day, price, live_server, tmp_path), offers)
        history = fold(history, [spells(offers)], now=day).accepted
    assert history["withdrawn_on"].null_count() == history.height
    for day, price in zip(days, prices, strict=True):
        held = holding_on(history, day.date())
        assert held["usd_per_gpu_hour"].to_list() == [price], day


def test_vast_gives_quantiles_of_all_offers_or_none() -> None:
    offers = [{"gpu_name": "H100 SXM", "num_gpus": 2, "dph_total": 2.0 * price} for price in (1.0, 2.0, 3.0, 4.0, 5.0)]
    rows = checked(gpu_markets.parse_vast(answer("vast_bid_h100_sxm", {"offers": offers})), contract.MarketGpuOffer)
    assert rows.select("term", "statistic", "usd_per_gpu_hour", "offers").rows() == [
        ("marketplace_interruptible", "p25", 2.0, 5.0),
        ("marketplace_interruptible", "median", 3.0, 5.0),
    ]
    with pytest.raises(ValueError, match="64 offers"):
        gpu_markets.parse_vast(answer("vast_bid_h100_sxm", {"offers": offers[:1] * 64}))


def test_rankings_become_months_without_the_day_that_is_not_over() -> None:
    def day(on: str, slug: str = "a/m") -> dict[str, object]:
        return {
            "date": f"{on} 00:00:00",
            "model_permaslug": slug,
            "variant": "standard",
            "count": 3,
            "total_prompt_tokens": 30,
            "total_completion_tokens": 6,
            "total_native_tokens_reasoning": 2,
            "total_native_tokens_cached": 10,
        }

    days = [day("2026-07-31"), day("2026-08-01"), day("2026-08-02"), day("2026-08-09"), day("2026-08-02", "~a/m-latest")]
    rows = checked(router_live.parse_use(answer("router_use", {"data": days})), contract.RouterUse)
    assert rows.select("month", "days", "requests", "cached_tokens").rows() == [
        (date(2026, 7, 1), 1, 3, 10),
        (date(2026, 8, 1), 2, 6, 20),
    ]


def test_prices_paid_and_endpoints_of_one_model() -> None:
    name = router_live.PAID[0].name
    seller = {
        "providerName": "Z.ai",
        "effectiveInputPrice": 0.2,
        "effectiveOutputPrice": 0,
        "cacheHitRate": 0.8,
        "totalTokens": 9,
    }
    paid = checked(router_live.parse_paid(answer(name, {"data": {"providerSummaries": [seller]}})), contract.RouterPricePaid)
    assert paid.select("source_model", "input_usd_per_mtok", "output_usd_per_mtok").rows() == [
        (router_live.WATCHED[0], 0.2, None)
    ]
    stats = {f"p{at}_{what}": float(at) for at in (50, 90, 99) for what in ("throughput", "latency")}
    endpoint = {
        "provider_name": "Novita",
        "pricing": {"prompt": "0.0000002", "completion": "0.000001", "discount": 0.25},
        "stats": stats | {"request_count": 4, "window_minutes": 30},
        "quantization": "unknown",
    }
    answered = {"data": [endpoint, {**endpoint, "stats": None}]}
    rows = checked(router_live.parse_endpoints(answer(router_live.ENDPOINTS[0].name, answered)), contract.RouterEndpoint)
    told = rows.select("input_usd_per_mtok", "p50_ttft_s", "quantization", "endpoint").row(0)
    assert (rows.height, told) == (1, (pytest.approx(0.2), 0.05, None, 1))


def test_rent_index_over_json() -> None:
    points = [{"timestamp": f"2026-08-0{day}T20:00:00.000Z", "index_value": 2.0 + day} for day in (1, 2)]
    rows = checked(rent_index.parse_index(answer("ornn_h100_sxm", {"data": points})), contract.GpuRentIndexFigure)
    assert rows.select("as_of", "source_gpu", "usd_per_gpu_hour").rows()[1] == (date(2026, 8, 2), "H100 SXM", 4.0)


# --- the figures, from SQL on a first offline refresh


def rounded(warehouse: duckdb.DuckDBPyConnection, sql: str) -> tuple[object, ...]:
    (row,) = warehouse.execute(sql).fetchall()
    return tuple(row)


def test_july_in_figures(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = (Path(__file__).parents[2] / "warehouse" / "queries" / "110_what_the_router_carried.sql").read_text()
    july = {row[0]: row for row in warehouse.execute(query).fetchall()}[date(2026, 7, 1)]
    _, variants, requests, prompt, completion, per_request, out, ratio, median, cached, reasoning = july
    assert (variants, round(requests / 1e9, 1), round(prompt / 1e12, 1), round(completion / 1e12, 1)) == (463, 16.4, 239.6, 7.7)
    assert (round(per_request), round(out), round(ratio), round(median, 1)) == (14_594, 471, 31, 12.6)
    assert (round(cached, 2), round(reasoning, 2)) == (0.72, 0.43)


@pytest.mark.parametrize(
    ("slug", "factor"),
    [
        ("openai/gpt-oss-120b", 2.53),
        ("deepseek/deepseek-v4-pro-20260423", 2.73),
        ("z-ai/glm-5.2-20260616", 2.78),
        ("openai/gpt-5.6-sol-20260709", 1.87),
        ("anthropic/claude-opus-5-20260723", 1.16),
        ("meta-llama/llama-3.3-70b-instruct", 1.00),
    ],
)
def test_reasoning_factors_of_july(warehouse: duckdb.DuckDBPyConnection, slug: str, factor: float) -> None:
    (found,) = rounded(
        warehouse,
        f"""SELECT reasoning_factor FROM core.model_usage
        WHERE source_model = '{slug}' AND variant = 'standard' AND month = DATE '2026-07-01'""",
    )
    assert round(float(str(found)), 2) == factor


def test_rents_by_the_day_in_figures(warehouse: duckdb.DuckDBPyConnection) -> None:
    for gpu, first, last in (("h100-sxm", 1.78, 2.72), ("b200-sxm", 4.29, 5.75)):
        assert rounded(
            warehouse,
            f"""SELECT arg_min(usd_per_gpu_hour, as_of), arg_max(usd_per_gpu_hour, as_of)
            FROM core.gpu_rent_daily WHERE gpu = '{gpu}' AND term = 'rental_index'""",
        ) == (first, last)
    assert rounded(
        warehouse,
        """SELECT usd_per_gpu_hour FROM core.gpu_rent_daily
        WHERE gpu = 'h100-sxm' AND term = 'rental_index' AND as_of = DATE '2026-05-01'""",
    ) == (2.28,)


def test_each_row_leads_to_its_document(warehouse: duckdb.DuckDBPyConnection) -> None:
    for table in ("core.model_usage", "core.price_paid", "core.endpoint_performance", "core.gpu_rent_daily"):
        assert rounded(
            warehouse,
            f"""SELECT count(*) FROM {table} t
            WHERE locator = '' OR source NOT IN (SELECT source FROM meta.snapshot)""",
        ) == (0,), table
    aliases = [
        f"SELECT source_model FROM {table}" for table in ("core.model_usage", "core.price_paid", "core.endpoint_performance")
    ]
    assert rounded(warehouse, f"SELECT count(*) FROM ({' UNION ALL '.join(aliases)}) WHERE source_model LIKE '~%'") == (0,)


def test_most_of_the_traffic_is_mapped(warehouse: duckdb.DuckDBPyConnection) -> None:
    (share,) = rounded(
        warehouse,
        """SELECT sum(prompt_tokens + completion_tokens) FILTER (model IS NOT NULL)
        / sum(prompt_tokens + completion_tokens) FROM core.model_usage WHERE month = DATE '2026-07-01'""",
    )
    assert float(str(share)) > 0.95
