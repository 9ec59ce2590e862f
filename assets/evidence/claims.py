"""The claims ledger: what was claimed, what comes out today, the verdict of the two, and a warning when a verdict changes."""

from datetime import datetime
from pathlib import Path
from string import Formatter
from typing import Any

import dagster as dg
import msgspec
import numpy as np
import polars as pl

from assets.documents import parse_all, source_asset
from assets.frames import floats, nullable
from economics.evidence.claims import margins, share_interval, verdicts
from schemas.base import polars_schema
from schemas.evidence import claims as contract
from schemas.quarantine import Parsed
from sources.evidence.claims import parse_claims
from sources.source import Snapshot
from warehouse.claim_queries import answers, tables_read
from warehouse.resources import DataFolder
from warehouse.table import asset_key, built_table, table

GROUP = "claims"
STATE = ["published_low", "published_high", "recomputed_value", "interval_low", "interval_high", "verdict"]
"""What makes a new row of the history when it changes."""
DIGITS = 9
"""Significant digits to which two refreshes must agree to have changed nothing."""

published_claims = source_asset("published_claims", accept=parse_claims, group=GROUP)


@table(schema=contract.Claim, group=GROUP)
def claim(published_claims: list[Snapshot]) -> Parsed:
    """Every claim as it was made."""
    return parse_all(published_claims, parse_claims, contract.Claim)


@table(
    schema=contract.Claims,
    group=GROUP,
    deps=[dg.AssetKey(name.split(".")) for name in sorted({name for read in tables_read().values() for name in read})],
    kinds=("duckdb", "parquet"),
)
def claims(claim: pl.DataFrame, data: DataFolder, now: datetime) -> pl.DataFrame:
    """Every claim with its verdict of today."""
    return (
        judged(claim, answers(Path(data.tables)))
        .with_columns(refreshed_at=pl.lit(now))
        .select(list(polars_schema(contract.Claims)))
    )


@table(schema=contract.ClaimsHistory, group=GROUP)
def claims_history(claims: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """The history, and a row for each claim whose state is not that of its last row."""
    return pl.concat([previous, changed(claims, previous)]).sort("claim_id", "refreshed_at")


@dg.asset_check(
    asset=asset_key(contract.ClaimsHistory),
    name="verdicts_stand",
    description="no claim has another verdict than at the refresh before",
    additional_deps=[asset_key(contract.Claims)],
)
def verdicts_stand(data: dg.ResourceParam[DataFolder]) -> dg.AssetCheckResult:
    """Warn of every verdict that this refresh changed."""
    history, ledger = (built_table(data, schema).collect() for schema in (contract.ClaimsHistory, contract.Claims))
    moved = moved_verdicts(history, ledger["refreshed_at"].max())
    return dg.AssetCheckResult(passed=not moved, severity=dg.AssetCheckSeverity.WARN, description="; ".join(moved) or None)


def judged(claimed: pl.DataFrame, answered: pl.DataFrame) -> pl.DataFrame:
    """Claims (contract `Claim`) with what came out (`claim_queries.answers`) and the verdict the numbers give.

    Notes are filled with what the query returned. A query whose claim was refused is passed over. Raises ValueError for a claim
    with both a query and a missing datum or with neither, and for a note that speaks of a number its query does not return.
    """
    untested = claimed["missing_datum"].is_not_null()
    recomputed = claimed["claim_id"].is_in(answered["claim_id"].implode())
    if odd := claimed.filter(untested == recomputed)["claim_id"].to_list():
        raise ValueError(f"each claim needs either a query or a missing datum: {', '.join(odd)}")
    outcome = answered.rename({"value": "recomputed_value", "low": "interval_low", "high": "interval_high"})
    rows = with_share_intervals(claimed.drop("source").join(outcome, on="claim_id", how="left", maintain_order="left"))
    relation = rows["relation"].to_numpy().astype(np.str_)
    low, high, value = (floats(rows, name) for name in ("published_low", "published_high", "recomputed_value"))
    basis = rows["interval_basis"].to_numpy().astype(np.str_)
    words = verdicts(
        relation=relation,
        published_low=low,
        published_high=high,
        recomputed=value,
        interval_low=np.where(basis == "ceiling", -np.inf, floats(rows, "interval_low")),
        interval_high=np.where(basis == "floor", np.inf, floats(rows, "interval_high")),
        is_sampled=np.isin(basis, ("confidence", "floor", "ceiling")),
    )
    margin = margins(relation=relation, published_low=low, published_high=high, recomputed=value)
    nothing_found = pl.format("no row answers the query in {}", "inputs")
    return rows.with_columns(
        verdict=pl.Series(words, dtype=pl.String),
        margin=nullable(margin),
        missing_datum=pl.when(pl.col("recomputed_value").is_null()).then(pl.coalesce("missing_datum", nothing_found)),
        note=pl.Series([filled(*row) for row in rows.select("claim_id", "note", "facts").iter_rows()], dtype=pl.String),
    ).drop("facts")


def with_share_intervals(rows: pl.DataFrame) -> pl.DataFrame:
    """Fill the interval of a share that counts a sample of points, where the query returns none."""
    of_sample = pl.col("relation").is_in(["always", "never"]) & (pl.col("interval_basis") == "confidence")
    counted = rows.select(share=pl.when(of_sample).then("recomputed_value"), n="n")
    low, high = share_interval(share=floats(counted, "share"), n=floats(counted, "n"))
    return rows.with_columns(
        interval_low=pl.coalesce("interval_low", nullable(low)), interval_high=pl.coalesce("interval_high", nullable(high))
    )


def filled(claim: str, note: str | None, facts: str | None) -> str | None:
    """A note with its names in braces replaced by numbers, in their format. `facts`: JSON of what the query returned.

    A number that is not known is called unknown. Raises ValueError naming the claim and the name that its query lacks.
    """
    known: dict[str, Any] = {} if facts is None else msgspec.json.decode(facts)
    text = ""
    for before, name, shape, _ in Formatter().parse(note or ""):
        text += before
        if name is None:
            continue
        if name not in known:
            raise ValueError(f"claim {claim}: its note speaks of {{{name}}}, which its query does not return")
        text += "unknown" if known[name] is None else format(known[name], shape or "")
    return text or None


def changed(ledger: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Rows to append to the history (both contract `ClaimsHistory`): claims whose state is not that of their last row."""
    last = history.sort("refreshed_at").unique("claim_id", keep="last").select("claim_id", *STATE)
    beside = ledger.join(last, on="claim_id", how="left", suffix="_before")
    numbers = [name for name in STATE if name != "verdict"]
    same = [
        pl.col("verdict").eq_missing(pl.col("verdict_before")),
        *(pl.col(name).round_sig_figs(DIGITS).eq_missing(pl.col(f"{name}_before").round_sig_figs(DIGITS)) for name in numbers),
    ]
    return beside.filter(~pl.all_horizontal(same)).select(list(polars_schema(contract.ClaimsHistory)))


def moved_verdicts(history: pl.DataFrame, refreshed_at: object) -> list[str]:
    """Each claim whose verdict a refresh changed, in words."""
    new = history.filter(
        pl.col("refreshed_at") == refreshed_at,
        pl.col("verdict_before").is_not_null(),
        pl.col("verdict") != pl.col("verdict_before"),
    )
    return [
        f"{row['claim_id']}: {row['verdict_before']} is now {row['verdict']}"
        for row in new.sort("claim_id").iter_rows(named=True)
    ]
