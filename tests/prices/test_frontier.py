"""The price frontier on a handful of models one can check by eye."""

from datetime import date

import polars as pl

from assets.prices.frontier import one_price, priced_models, with_frontier
from assets.prices.scale_link import latest_scores
from schemas.base import polars_schema
from schemas.prices.capability import Capability
from schemas.prices.llm_prices import LlmPriceCurrent
from schemas.prices.models import Model


def price(model: str, leg: str, usd: float, *, provider: str = "own", first_party: bool = True, price_window: str = "always"):
    return {
        "provider": provider,
        "model": model,
        "is_canonical": True,
        "first_party": first_party,
        "leg": leg,
        "tier_min_tokens": 0,
        "variant": "standard",
        "price_window": price_window,
        "evidence_on": date(2025, 5, 1),
        "is_stale": False,
        "usd_per_mtok": usd,
    }


def prices(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=polars_schema(LlmPriceCurrent))


def both(model: str, usd: float, **changes: object) -> list[dict[str, object]]:
    return [price(model, "input", usd, **changes), price(model, "output", 3 * usd, **changes)]


def frontier(scores: dict[str, float], *rows: dict[str, object], on: date = date(2026, 1, 1)) -> list[str]:
    rated = pl.DataFrame(
        [{"model": name, "scale": "eci", "score": score, "as_of": date(2025, 1, 1)} for name, score in scores.items()],
        schema=polars_schema(Capability),
    )
    known = [{"model": name, "developer": "own", "release_date": date(2025, 6, 1)} for name in scores]
    models = pl.DataFrame(known, schema=polars_schema(Model))
    marked = with_frontier(priced_models(prices(*rows)).with_columns(as_of=pl.lit(on)), latest_scores(rated), models)
    return sorted(marked.filter("on_frontier")["model"])


def test_model_that_is_dearer_and_weaker_is_not_on_the_frontier():
    rows = [*both("cheap", 1.0), *both("strong", 5.0), *both("beaten", 6.0)]
    assert frontier({"cheap": 100.0, "strong": 150.0, "beaten": 140.0}, *rows) == ["cheap", "strong"]


def test_model_that_is_not_released_yet_does_not_count():
    rows = [*both("cheap", 1.0), *both("strong", 5.0)]
    assert frontier({"cheap": 100.0, "strong": 150.0}, *rows, on=date(2025, 5, 31)) == []


def test_first_party_price_comes_before_the_hosts_and_else_their_median_counts():
    own = priced_models(prices(*both("m", 2.0), *both("m", 1.0, provider="host", first_party=False)))
    assert own.select("input_usd_per_mtok", "price_basis", "n_providers").rows() == [(2.0, "first_party", 2)]
    hosts = [row for usd in (1.0, 2.0, 9.0) for row in both("m", usd, provider=f"host{usd}", first_party=False)]
    assert priced_models(prices(*hosts)).select("input_usd_per_mtok", "price_basis").rows() == [(2.0, "median_of_hosts")]


def test_model_priced_by_the_hour_counts_with_its_peak_price():
    rows = [*both("m", 2.0, price_window="peak"), *both("m", 1.0, price_window="off_peak")]
    assert priced_models(prices(*rows))["input_usd_per_mtok"].to_list() == [2.0]


def test_model_without_an_output_price_is_not_priced():
    assert priced_models(prices(price("m", "input", 1.0))).is_empty()


def test_each_day_has_a_frontier_of_its_own_with_the_models_that_are_out():
    scores = pl.DataFrame(
        [{"model": name, "scale": "eci", "score": 1.0, "as_of": date(2025, 1, 1)} for name in ("old", "new")],
        schema=polars_schema(Capability),
    )
    known = [
        {"model": "old", "developer": "own", "release_date": None},
        {"model": "new", "developer": "own", "release_date": date(2025, 6, 1)},
    ]
    days = pl.DataFrame({"as_of": [date(2025, 5, 31), date(2025, 6, 30)]})
    priced = one_price(
        pl.concat(
            [
                # The host asks half, which does not count beside the developer.
                sold("old", 4.0, days),
                sold("new", 3.0, days),
                sold("new", 1.5, days[1:], provider="host", first_party=False),
            ]
        ),
        each=["as_of"],
    )
    marked = with_frontier(priced, latest_scores(scores), pl.DataFrame(known, schema=polars_schema(Model)))
    found = marked.filter("on_frontier").select("as_of", "model", "cpm_usd_per_mtok", "n_providers").rows()
    assert found == [(date(2025, 5, 31), "old", 4.0, 1), (date(2025, 6, 30), "new", 3.0, 2)]


def sold(model: str, usd: float, days: pl.DataFrame, *, provider: str = "own", first_party: bool = True) -> pl.DataFrame:
    return days.with_columns(
        model=pl.lit(model),
        provider=pl.lit(provider),
        first_party=pl.lit(first_party),
        seller_kind=pl.lit("vendor" if first_party else "host"),
        evidence_on=pl.lit(date(2025, 5, 1)),
        is_stale=pl.lit(value=False),
        input_usd_per_mtok=pl.lit(usd),
        output_usd_per_mtok=pl.lit(usd),
    )
