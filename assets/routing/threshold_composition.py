"""Both thresholds at once: what routing makes of the cost of more samples, and what it would have to save."""

import numpy as np
import polars as pl

from assets.frames import floats, nullable, under_contract
from assets.routing.premium import GROUP
from economics.routing.premium import RoutingTerms, compose_with_inference_channel, premium_needed
from economics.test_time.inference_frontier import cost_multiplier, cost_multiplier_of_elasticity
from schemas.routing import threshold_composition as contract
from warehouse.table import table

ARC = ["paper", "benchmark", "system", "curve", "samples_from", "samples_to"]
EVIDENCE = ("out_of_sample", "not_stated", "in_sample")
"""The best first. A scenario is no measurement."""
ASSUMPTION = {
    "speculative_decoding": (
        "plausible",
        "verified drafts leave what the model writes as it is; the saving is of few "
        "sequences at a time, and many samples at once fill the batch in which it is lost",
    ),
    "early_exit": ("doubtful", "a model that exits early writes other answers; how those gain from samples is not measured"),
    "cascade": (
        "doubtful",
        "the cheap model answers what its scorer accepts, so its own eta counts there, and a scorer that "
        "also selects samples is used twice",
    ),
    "router": (
        "doubtful",
        "equal accuracy at one sample does not make equal gain: easy questions have the weak model's eta, "
        "and what is left for samples to gain is in the hard ones",
    ),
    "adaptive_sampling": (
        "no",
        "it saves by drawing fewer samples: the product would count the same samples twice, and the "
        "saving is of 40 samples, not of this arc",
    ),
    "complexity_aware_exploration": ("no", "it decides how many samples a question gets, which is the same channel"),
}
"""Whether routing of a pattern can leave eta_N unchanged, and why."""


@table(schema=contract.ThresholdComposition, group=GROUP)
def threshold_composition(inference_frontier: pl.DataFrame, routing_premium: pl.DataFrame) -> pl.DataFrame:
    """Every measured arc in samples with every pattern whose saving is one of cost."""
    return composed(arcs(inference_frontier), savings(routing_premium))


def arcs(frontier: pl.DataFrame) -> pl.DataFrame:
    """Arcs (contract `InferenceFrontier`) once each, with the cost factor of their samples.

    Arcs of the Pythia surface are left out: its checkpoints are sold and routed by nobody, and their eta_N is at most 1.
    """
    once = frontier.filter(pl.col("training_pairing").is_null() | (pl.col("training_pairing") != "own_checkpoints"))
    rows = once.unique(ARC, keep="first", maintain_order=True)
    ratio = floats(rows, "attempts_to") / floats(rows, "samples_from")
    factor = cost_multiplier(
        samples_ratio=ratio, accept_rate_from=floats(rows, "accuracy_from"), accept_rate_to=floats(rows, "accuracy_to")
    )
    low, high = (
        cost_multiplier_of_elasticity(samples_ratio=ratio, eta_samples=floats(rows, f"eta_samples_{end}"))
        for end in ("high", "low")
    )
    return rows.select(*ARC, "attempts_to", "status", "n", "eta_samples", "eta_samples_low", "eta_samples_high").with_columns(
        pl.Series(f"{name}{end}", np.asarray(values))
        for end, of in (("", factor), ("_low", low), ("_high", high))
        for name, values in (
            ("samples_cost_factor", of),
            ("premium_needed", premium_needed(inference_cost_factor=of)),
        )
    )


def savings(points: pl.DataFrame) -> pl.DataFrame:
    """Premium of each pattern and unit of cost, over the points (contract `RoutingPremium`) of its best evidence.

    Losing points and controls count like any other. An "up to" tells no usual case and is left out.
    """
    usable = points.filter(
        pl.col("premium").is_not_null(),
        pl.col("saved_unit").is_in(contract.COST_UNITS),
        pl.col("evidence").is_in(EVIDENCE),
        pl.col("bound") != "at_most",
    )
    rank = pl.col("evidence").replace_strict({name: place for place, name in enumerate(EVIDENCE)}, return_dtype=pl.Int8)
    best = usable.filter(rank == rank.min().over("pattern", "saved_unit"))
    is_floor = (pl.col("bound") == "at_least").any()
    return best.group_by("pattern", "saved_unit", "evidence").agg(
        points=pl.len(),
        systems=pl.col("system").n_unique(),
        premium_low=pl.min_horizontal(pl.col("premium_low").min(), pl.col("premium").min()),
        premium_high=pl.when(~is_floor).then(pl.max_horizontal(pl.col("premium_high").max(), pl.col("premium").max())),
        premium=pl.col("premium").median(),
    )


def composed(rows: pl.DataFrame, saved: pl.DataFrame) -> pl.DataFrame:
    """Arcs (see `arcs`) with savings (see `savings`) as contract `ThresholdComposition`."""
    said = pl.DataFrame(
        [(pattern, *words) for pattern, words in ASSUMPTION.items()],
        schema=["pattern", "eta_unchanged", "eta_unchanged_reason"],
        orient="row",
    )
    pairs = rows.join(saved.with_columns(pl.col("pattern").cast(pl.String)).join(said, on="pattern"), how="cross")
    may = (pairs["eta_unchanged"] != "no").to_numpy()
    point, low, high = (
        compose_with_inference_channel(
            RoutingTerms(kappa=1.0, delta=np.where(may, floats(pairs, premium), np.nan), gamma=0.0),
            inference_cost_factor=floats(pairs, factor),
        )
        for premium, factor in (
            ("premium", "samples_cost_factor"),
            ("premium_high", "samples_cost_factor_low"),
            ("premium_low", "samples_cost_factor_high"),
        )
    )
    known = pairs.with_columns(
        composed_cost_factor=nullable(point),
        composed_cost_factor_low=nullable(low),
        composed_cost_factor_high=nullable(high),
    ).with_columns(pair_lowers_cost=pl.col("composed_cost_factor") < 1.0)
    return under_contract(
        contract.ThresholdComposition,
        known.with_columns(
            pair_certain=pl.when("pair_lowers_cost")
            .then(pl.col("composed_cost_factor_high") < 1.0)
            .otherwise(pl.col("composed_cost_factor_low") >= 1.0)
        ),
    ).sort(*ARC, "pattern", "saved_unit")
