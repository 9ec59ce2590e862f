"""The routing premium of published systems: as terms, under disclosure error, and by class."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.documents import parse_all, source_asset
from assets.frames import floats, nullable, where_known
from economics.routing.patterns import implied_draft_cost_ratio, speculative_decoding
from economics.routing.premium import (
    RoutingTerms,
    gross_saving,
    premium,
    premium_elasticities,
    premium_from_speedup,
    premium_under_error,
    quality_kappa,
    routed_cost,
    safety_factor,
)
from economics.units import Array
from schemas.base import polars_schema
from schemas.quarantine import Parsed
from schemas.routing import premium as contract
from schemas.status import BELIEVED
from sources.routing.figures import parse_figures
from sources.source import Snapshot
from warehouse.table import table

GROUP = "routing"
GROSS = ("gross_saving_percent", "gross_reduction_x", "samples_used")
"""Metrics before the controller is paid."""
TWO_SIDED_95 = 1.96
ACCEPTANCE_ROUNDING = 0.005
"""Acceptances are printed to two digits."""


routing_operating_points = source_asset("routing_operating_points", accept=parse_figures, group=GROUP)


@table(schema=contract.RoutingFigure, group=GROUP)
def routing_figure(routing_operating_points: list[Snapshot]) -> Parsed:
    """Every transcribed figure with its place and status."""
    return parse_all(routing_operating_points, parse_figures, contract.RoutingFigure)


@table(schema=contract.RoutingPoint, group=GROUP)
def routing_point(routing_figure: pl.DataFrame) -> pl.DataFrame:
    """The figures that may be used."""
    return believed(routing_figure)


@table(schema=contract.RoutingPremium, group=GROUP)
def routing_premium(routing_point: pl.DataFrame) -> pl.DataFrame:
    """Every believed figure as an operating point."""
    return operating_points(routing_point)


@table(schema=contract.RoutingFragility, group=GROUP)
def routing_fragility(routing_premium: pl.DataFrame) -> pl.DataFrame:
    """Every premium under three disclosure errors."""
    return under_disclosure_error(routing_premium)


@table(schema=contract.RoutingPatternSummary, group=GROUP)
def routing_pattern_summary(
    routing_premium: pl.DataFrame, routing_fragility: pl.DataFrame, routing_figure: pl.DataFrame
) -> pl.DataFrame:
    """One row per class, also for a class without any figure."""
    return summary(routing_premium, routing_fragility, routing_figure)


def believed(figures: pl.DataFrame) -> pl.DataFrame:
    """Figures (contract `RoutingFigure`) without what is recalled or was not found (contract `RoutingPoint`)."""
    return figures.filter(pl.col("status").is_in(BELIEVED))


def operating_points(rows: pl.DataFrame) -> pl.DataFrame:
    """Figures (contract `RoutingPoint`) as terms and premiums (contract `RoutingPremium`); what is not known is NULL."""
    printed, below, above = (_premium_of(rows, at) for at in ("value", "low", "high"))
    rounded = np.sort([_premium_of(rows, "value", shift) for shift in (-1.0, 1.0)], axis=0)
    ranged = np.isfinite(below) & np.isfinite(above)
    # An extreme ("up to") has no interval around it, and a computed figure is not rounded as a printed one is.
    is_printed = (rows["status"].is_in(["printed", "quoted"]) & (rows["bound"] == "exact")).to_numpy()
    rounded = np.where(is_printed, rounded, np.nan)
    low = np.where(ranged, np.fmin(below, above), rounded[0])
    high = np.where(ranged, np.fmax(below, above), rounded[1])
    value = np.where(np.isfinite(printed), printed, low)
    is_range = ranged & ~np.isfinite(printed)

    draft = _draft_terms(rows)
    value = np.where(np.isfinite(value), value, draft["premium"])
    is_gross = rows["metric"].is_in(GROSS).to_numpy()
    stated_gamma = floats(rows, "gamma")
    paid = np.where(is_gross, stated_gamma, 0.0)
    net, net_low, net_high = value - paid, low - paid, high - paid
    gamma = np.where(np.isfinite(stated_gamma), stated_gamma, draft["gamma"])
    paid_for = np.isfinite(net) & np.isfinite(gamma)
    gross = np.where(is_gross, value, np.nan)
    gross[paid_for] = gross_saving(premium=net[paid_for], gamma=gamma[paid_for])
    delta = np.where(np.isfinite(floats(rows, "delta")), floats(rows, "delta"), draft["delta"])
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa = np.where(delta > 0.0, gross / delta, np.nan)
    safety, of_saving, of_gamma = (np.full(rows.height, np.nan) for _ in range(3))
    known = RoutingTerms(kappa=gross[paid_for], delta=1.0, gamma=gamma[paid_for])
    elasticity = premium_elasticities(known)
    safety[paid_for], of_saving[paid_for], of_gamma[paid_for] = (
        safety_factor(known),
        elasticity.kappa,
        elasticity.gamma,
    )
    of_quality = quality_kappa(
        routed_quality=floats(rows, "routed_quality"),
        random_quality=floats(rows, "random_quality"),
        oracle_quality=floats(rows, "oracle_quality"),
    )
    worse_than_random = (rows["metric"] == "quality_against_random_percent").to_numpy() & (floats(rows, "value") < 0.0)
    least, most = np.where(np.isfinite(net_low), net_low, net), np.where(np.isfinite(net_high), net_high, net)
    shown = ~ranged & _within_sampling_error(rows)
    sign = np.select([shown, worse_than_random | (most < 0.0), least > 0.0], ["not_shown", "negative", "positive"], "not_shown")
    basis = np.select([is_range, ranged, np.isfinite(net_low)], ["printed_range", "resampled", "rounding"], "")
    computed = rows.with_columns(
        *_known(
            kappa=kappa,
            delta=delta,
            gamma=gamma,
            gross_saving=gross,
            premium=net,
            premium_low=net_low,
            premium_high=net_high,
            safety_factor=safety,
            elasticity_of_saving=of_saving,
            elasticity_of_gamma=of_gamma,
            quality_kappa=of_quality,
            implied_draft_cost_ratio=draft["implied"],
            implied_low=draft["implied_low"],
            implied_high=draft["implied_high"],
        ),
        pl.Series("sign", sign, dtype=pl.String),
        pl.Series("interval_basis", basis, dtype=pl.String).replace("", None),
        gamma_basis=pl.coalesce("gamma_basis", pl.Series(draft["gamma_basis"], dtype=pl.String).replace("", None)),
    )
    return computed.select(list(polars_schema(contract.RoutingPremium))).sort("pattern", "system", "figure")


def under_disclosure_error(points: pl.DataFrame) -> pl.DataFrame:
    """Each premium at each overstatement (contract `RoutingFragility`), in two readings of what was overstated."""
    rows = points.filter(pl.col("premium").is_not_null()).join(
        pl.DataFrame({"overstatement": contract.OVERSTATEMENTS}), how="cross"
    )
    error, net = floats(rows, "overstatement"), floats(rows, "premium")
    gross, gamma = floats(rows, "gross_saving"), floats(rows, "gamma")
    saving, disclosed = np.full(rows.height, np.nan), np.isfinite(gamma) & np.isfinite(gross)
    saving[disclosed] = premium_under_error(
        RoutingTerms(kappa=gross[disclosed], delta=1.0, gamma=gamma[disclosed]), overstatement=error[disclosed]
    )
    costlier = 1.0 - np.asarray(routed_cost(RoutingTerms(kappa=1.0, delta=net, gamma=0.0), unconditional_cost=1.0 + error))
    return (
        rows.with_columns(*_known(premium_if_saving_overstated=saving, premium_if_cost_understated=costlier))
        .select(
            "figure",
            "system",
            "pattern",
            "overstatement",
            "premium",
            "premium_if_saving_overstated",
            fails_if_saving_overstated=pl.col("premium_if_saving_overstated") <= 0,
            premium_if_cost_understated="premium_if_cost_understated",
            fails_if_cost_understated=pl.col("premium_if_cost_understated") <= 0,
        )
        .sort("figure", "overstatement")
    )


def summary(points: pl.DataFrame, fragility: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """One row per class (contract `RoutingPatternSummary`)."""
    failing = (
        fragility.join(points.filter(pl.col("sign") == "positive").select("figure"), on="figure", how="semi")
        .group_by("pattern")
        .agg(
            (pl.col("fails_if_cost_understated") & (pl.col("overstatement") == error)).sum().alias(f"fail_at_{error:.0%}")
            for error in contract.OVERSTATEMENTS
        )
    )
    missing = figures.filter(pl.col("status") == "not_found").group_by("pattern").agg(not_testable=pl.len())
    of_points = points.group_by("pattern").agg(
        points=pl.len(),
        systems=pl.col("system").n_unique(),
        positive=(pl.col("sign") == "positive").sum(),
        negative=(pl.col("sign") == "negative").sum(),
        all_positive=(pl.col("sign") == "positive").all(),
        controller_known=pl.col("gamma").is_not_null().sum(),
        out_of_sample=(pl.col("evidence") == "out_of_sample").sum(),
        premium_median=pl.col("premium").median(),
        premium_min=pl.col("premium").min(),
        premium_max=pl.col("premium").max(),
        safety_factor_min=pl.col("safety_factor").min(),
    )
    joined = pl.DataFrame({"pattern": contract.PATTERNS})
    for part in (of_points, failing, missing):
        joined = joined.join(part, on="pattern", how="left")
    counts = [name for name, dtype in polars_schema(contract.RoutingPatternSummary).items() if dtype == pl.Int64]
    renamed = joined.rename({f"fail_at_{e:.0%}": f"fail_at_{e:.0%}".replace("%", "_percent") for e in contract.OVERSTATEMENTS})
    return renamed.with_columns(pl.col(counts).fill_null(0).cast(pl.Int64)).select(
        list(polars_schema(contract.RoutingPatternSummary))
    )


def _within_sampling_error(rows: pl.DataFrame) -> NDArray[np.bool_]:
    """Whether the quality of a router is that of a random choice but for what its items may differ by chance.

    Both on the same n items; taken as independent, which is wide. False where quality or n is not stated.
    """
    routed, random, count = (floats(rows, name) for name in ("routed_quality", "random_quality", "n"))
    with np.errstate(invalid="ignore"):
        error = np.sqrt((routed * (1.0 - routed) + random * (1.0 - random)) / count)
        within: NDArray[np.bool_] = np.abs(routed - random) < TWO_SIDED_95 * error
    return within


def _premium_of(rows: pl.DataFrame, at: str, shift: float = 0.0) -> Array:
    """Share of the cost saved that a figure states, moved by `shift` times its rounding; NaN where it states none."""
    figure = floats(rows, at) + shift * (floats(rows, "rounding") if shift else 0.0)
    metric = rows["metric"].to_numpy()
    with np.errstate(divide="ignore"):
        ratio = np.select(
            [
                np.isin(metric, ["speedup_x", "gross_reduction_x"]),
                metric == "slowdown_x",
                np.isin(metric, ["saving_percent", "gross_saving_percent"]),
                metric == "cost_share_percent",
                metric == "samples_used",
            ],
            [figure, 1.0 / figure, 1.0 / (1.0 - figure / 100.0), 100.0 / figure, floats(rows, "unconditional") / figure],
            np.nan,
        )
    return where_known(premium_from_speedup, speedup=ratio)


def _draft_terms(rows: pl.DataFrame) -> dict[str, Array]:
    """Terms of speculative decoding: from a draft cost ratio as stated, else as the printed speed-up implies it."""
    names = ("delta", "gamma", "premium", "implied", "implied_low", "implied_high")
    terms: dict[str, Array] = {name: np.full(rows.height, np.nan) for name in names}
    basis = np.full(rows.height, "", dtype=object)
    acceptance, length, speedup = (floats(rows, name) for name in ("acceptance", "draft_length", "value"))
    stated, rounding = floats(rows, "draft_cost_ratio"), floats(rows, "rounding")
    drafted = np.isfinite(acceptance) & np.isfinite(length)
    timed = drafted & np.isfinite(speedup) & (rows["metric"] == "speedup_x").to_numpy()
    if timed.any():
        for name, up in (("implied", 0.0), ("implied_low", -1.0), ("implied_high", 1.0)):
            terms[name][timed] = implied_draft_cost_ratio(
                acceptance=np.clip(acceptance[timed] + up * ACCEPTANCE_ROUNDING, 0.0, 1.0),
                draft_length=length[timed],
                speedup=speedup[timed] - up * rounding[timed],
            )
    ratio = np.where(np.isfinite(stated), stated, terms["implied"])
    right = drafted & (ratio >= 0.0)
    if right.any():
        found = speculative_decoding(acceptance=acceptance[right], draft_length=length[right], draft_cost_ratio=ratio[right])
        terms["delta"][right], terms["gamma"][right] = found.delta, found.gamma
        terms["premium"][right] = premium(found)
        basis[right] = np.where(np.isfinite(stated[right]), "draft cost as stated", "draft cost implied by the speed-up")
    # Tokens per pass measured: what the speed-up lacks of them is what drafting costs.
    tokens = floats(rows, "tokens_per_pass")
    measured = np.isfinite(tokens) & (rows["metric"] == "speedup_x").to_numpy()
    terms["gamma"][measured] = (1.0 - 1.0 / tokens[measured]) - np.asarray(premium_from_speedup(speedup=speedup[measured]))
    basis[measured] = "what the speed-up lacks of the tokens per pass"
    return terms | {"gamma_basis": basis}


def _known(**columns: object) -> list[pl.Series]:
    """Columns of floats in which what is not a finite number is NULL."""
    return [nullable(values).alias(name) for name, values in columns.items()]
