"""What each seller charges for a workload: the model itself, and others at least as capable."""

from collections.abc import Sequence
from dataclasses import replace

import duckdb
import numpy as np
import polars as pl

from answers.host_or_call.record import Call, HostOrCallQuestion
from economics.prices.api_bill import Legs, bill_usd, billed_output_tokens, request_usd
from economics.serving.hosting import HOURS_PER_MONTH
from economics.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK
from schemas.prices.capability import SCALES

ALTERNATIVES = 3
"""Other models that are listed unasked."""
LEGS = {
    "input_usd_per_mtok": ("input", "standard"),
    "output_usd_per_mtok": ("output", "standard"),
    "cache_read_usd_per_mtok": ("cache_read", "standard"),
    "cache_write_usd_per_mtok": ("cache_write", "standard"),
    "batch_input_usd_per_mtok": ("input", "batch"),
    "batch_output_usd_per_mtok": ("output", "batch"),
}
_PRICES = """
    SELECT provider, model, leg::VARCHAR AS leg, variant, tier_min_tokens, usd_per_mtok, low_usd_per_mtok, high_usd_per_mtok,
        evidence_on, age_days, is_stale, n_sources, agreement, is_far_from_peers, price_window::VARCHAR AS price_window
    FROM core.llm_price_current
    WHERE list_contains($models, model) AND variant IN ('standard', 'batch') AND price_window IN ('always', 'peak')
        AND leg IN ('input', 'output', 'cache_read', 'cache_write') AND tier_min_tokens <= $input_tokens
    QUALIFY row_number() OVER (
        PARTITION BY provider, model, leg, variant ORDER BY tier_min_tokens DESC, price_window = 'peak' DESC
    ) = 1
"""
_FACTORS = """
    SELECT m.model, m.reasoning, f.factor FROM core.model AS m LEFT JOIN (
        SELECT model, arg_max(reasoning_factor, month) AS factor FROM marts.reasoning_factor GROUP BY model
    ) AS f USING (model) WHERE list_contains($models, m.model)
"""
_AS_GOOD = """
    WITH best AS (SELECT model, scale::VARCHAR AS scale, max(score) AS score FROM core.capability GROUP BY ALL)
    SELECT other.model, other.scale, other.score
    FROM best AS mine JOIN best AS other ON other.scale = mine.scale AND other.score >= mine.score
    WHERE mine.model = $model
"""
_SCORES = "SELECT scale::VARCHAR, max(score) FROM core.capability WHERE model = $model GROUP BY ALL"


def calls_of(connection: duckdb.DuckDBPyConnection, q: HostOrCallQuestion) -> tuple[Call, ...]:
    """The bill of each seller of the model itself, cheapest believed first; what the user pays, where it is stated."""
    found = _billed(connection, q, [q.model])
    if q.api_usd_per_mtok:
        found.append(_stated(q))
    return tuple(sorted(found, key=_order))


def alternatives_of(connection: duckdb.DuckDBPyConnection, q: HostOrCallQuestion) -> tuple[Call, ...]:
    """The cheapest believed seller of each model that is asked for, and of the cheapest others that are as capable."""
    scale, as_good = _as_good(connection, q.model)
    wanted = [*as_good, *(model for model in q.against if model not in as_good)]
    cheapest: dict[str, Call] = {}
    for call in sorted(_billed(connection, q, [model for model in wanted if model != q.model]), key=_order):
        cheapest.setdefault(call.model, call)
    rated = {
        model: replace(call, scale=scale, score=as_good.get(model))
        if model in as_good
        else replace(call, notes=(*call.notes, _lower(connection, model, scale)))
        for model, call in cheapest.items()
    }
    named = [rated[model] for model in q.against if model in rated]
    others = [call for model, call in rated.items() if model in as_good and model not in q.against and not call.doubts]
    return tuple(sorted([*named, *others[:ALTERNATIVES]], key=_order))


def priced_models(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Canonical models that somebody sells."""
    return [
        str(row[0])
        for row in connection.execute("SELECT DISTINCT model FROM core.llm_price_current WHERE is_canonical").fetchall()
    ]


def _as_good(connection: duckdb.DuckDBPyConnection, model: str) -> tuple[str | None, dict[str, float]]:
    """The first scale on which the model is rated, and the models at or above it there."""
    rows = connection.execute(_AS_GOOD, {"model": model}).fetchall()
    for scale in SCALES:
        others = {name: score for name, of, score in rows if of == scale}
        if others:
            return scale, others
    return None, {}


def _lower(connection: duckdb.DuckDBPyConnection, model: str, scale: str | None) -> str:
    scores = dict(connection.execute(_SCORES, {"model": model}).fetchall())
    if scale is None:
        return "the model asked for is rated on no scale: whether this one is as capable is not known"
    return (
        f"below the model asked for on {scale}"
        if scale in scores
        else f"not rated on {scale}: whether it is as capable is not known"
    )


def _billed(connection: duckdb.DuckDBPyConnection, q: HostOrCallQuestion, models: Sequence[str]) -> list[Call]:
    rows = _without_passed_on(connection.sql(_PRICES, params={"models": list(models), "input_tokens": q.input_tokens}).pl())
    factors = {
        name: (reasons, factor)
        for name, reasons, factor in connection.execute(_FACTORS, {"models": [*models, q.model]}).fetchall()
    }
    return [
        call
        for (seller, model), legs in rows.group_by("provider", "model", maintain_order=True)
        if (call := _call(q, str(seller), str(model), legs, factors)) is not None
    ]


def _without_passed_on(prices: pl.DataFrame) -> pl.DataFrame:
    """Prices without those that Hugging Face passes on from a seller who stands among them: one seller is one offer."""
    of_seller = pl.col("provider").str.strip_prefix("huggingface-")
    offers = prices.select("model", "provider").unique()
    twice = offers.filter(pl.col("provider") != of_seller).join(
        offers, left_on=["model", of_seller], right_on=["model", "provider"], how="semi"
    )
    return prices.join(twice, on=["model", "provider"], how="anti", maintain_order="left")


def _call(
    q: HostOrCallQuestion, seller: str, model: str, legs: pl.DataFrame, factors: dict[str, tuple[bool | None, float | None]]
) -> Call | None:
    """The bill of one seller; None where input or output has no price."""
    by_leg = {(row["leg"], row["variant"]): row for row in legs.iter_rows(named=True)}
    if ("input", "standard") not in by_leg or ("output", "standard") not in by_leg:
        return None
    used = [by_leg[leg] for leg in LEGS.values() if leg in by_leg]
    output, doubts = _output_tokens(q, model, factors)
    has_cache, has_batch = ("cache_read", "standard") in by_leg, ("output", "batch") in by_leg
    usd, low, high = (_request(q, by_leg, output, end) for end in ("usd_per_mtok", "low_usd_per_mtok", "high_usd_per_mtok"))
    if any(row["is_stale"] for row in used):
        doubts.append("nobody was seen to state this price for a month")
    if any(row["is_far_from_peers"] for row in used):
        doubts.append("5 times the median of its peers or more, or a fifth of it or less")
    tier = max(row["tier_min_tokens"] for row in used)
    notes = [f"tier from {tier:,} tokens of prompt"] if tier else []
    notes += [f"price of {row['price_window']} hours" for row in used[:1] if row["price_window"] != "always"]
    if q.cached_share and not has_cache:
        notes.append("no cache price: cached input is billed as input")
    if q.cached_share and ("cache_write", "standard") in by_leg:
        notes.append("what is not read from the cache is written to it, at the price of that")
    if q.batch_share and not has_batch:
        notes.append("no batch price: the batch share is billed as the rest")
    return _bill(
        q,
        model=model,
        seller=seller,
        usd=usd,
        low=low,
        high=high,
        output_tokens=output,
        evidence=(min(row["evidence_on"] for row in used), max(row["age_days"] for row in used)),
        sources=min(row["n_sources"] for row in used),
        agreement=min(row["agreement"] for row in used),
        doubts=tuple(doubts),
        notes=tuple(notes),
    )


def _request(q: HostOrCallQuestion, by_leg: dict[tuple[str, str], dict[str, float]], output: float, end: str) -> float:
    legs = Legs(**{name: by_leg[leg][end] if leg in by_leg else np.nan for name, leg in LEGS.items()})
    return float(
        request_usd(
            legs=legs,
            input_tokens=q.input_tokens,
            output_tokens=output,
            cached_share=q.cached_share,
            written_share=1.0 if q.cached_share and ("cache_write", "standard") in by_leg else 0.0,
            batch_share=q.batch_share,
        )
    )


def _output_tokens(
    q: HostOrCallQuestion, model: str, factors: dict[str, tuple[bool | None, float | None]]
) -> tuple[float, list[str]]:
    """Output that the model bills for the visible answers of the model asked for, and what is doubtful of it."""
    if model == q.model:
        return q.output_tokens, []
    own, other = factors.get(q.model, (None, None)), factors.get(model, (None, None))
    unknown = [name for name, (reasons, factor) in ((q.model, own), (model, other)) if reasons and factor is None]
    doubts = [f"{name} reasons, and by how much is not known: the bill is of its visible answers" for name in unknown]
    tokens = billed_output_tokens(
        output_tokens=q.output_tokens, own_reasoning_factor=own[1] or 1.0, other_reasoning_factor=other[1] or 1.0
    )
    return float(tokens), doubts


def _stated(q: HostOrCallQuestion) -> Call:
    input_usd, output_usd, *cached = q.api_usd_per_mtok
    legs = Legs(
        input_usd_per_mtok=input_usd, output_usd_per_mtok=output_usd, cache_read_usd_per_mtok=cached[0] if cached else np.nan
    )
    usd = float(request_usd(legs=legs, input_tokens=q.input_tokens, output_tokens=q.output_tokens, cached_share=q.cached_share))
    return _bill(
        q,
        model=q.model,
        seller="your price",
        usd=usd,
        low=usd,
        high=usd,
        output_tokens=q.output_tokens,
        evidence=(None, None),
        sources=0,
        agreement=1.0,
        doubts=(),
        notes=("as you stated it",),
    )


def _bill(
    q: HostOrCallQuestion,
    *,
    model: str,
    seller: str,
    usd: float,
    low: float,
    high: float,
    output_tokens: float,
    evidence: tuple[object, int | None],
    sources: int,
    agreement: float,
    doubts: tuple[str, ...],
    notes: tuple[str, ...],
) -> Call:
    requests = q.load.mean_per_s * SECONDS_PER_HOUR * HOURS_PER_MONTH
    month, least, most = (
        float(bill_usd(usd_per_request=each, requests=requests, minimum_usd=q.minimum_usd_per_month))
        for each in (usd, low, high)
    )
    accuracy = q.accuracy.get(model)
    return Call(
        model=model,
        seller=seller,
        usd_per_request=usd,
        usd_per_month=month,
        low_usd_per_month=least,
        high_usd_per_month=most,
        usd_per_mtok=usd / (q.input_tokens + output_tokens) * TOKENS_PER_MTOK,
        output_tokens=output_tokens,
        evidence_on=None if evidence[0] is None else str(evidence[0]),
        age_days=evidence[1],
        sources=sources,
        agreement=agreement,
        doubts=doubts,
        notes=notes,
        usd_per_correct=None if accuracy is None else month / requests / accuracy,
    )


def _order(call: Call) -> tuple[bool, bool, float, str]:
    """What the user pays comes first, then what is believed, by the bill."""
    return call.seller != "your price", bool(call.doubts), call.usd_per_month, call.seller
