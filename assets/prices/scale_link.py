"""One scale of capability out of several: models that Epoch has not rated get a score from the scale that foretells it best."""

import numpy as np
import polars as pl

from assets.frames import under_contract
from economics.prices.scale_link import Link, foretold, link_of, shaped
from economics.units import Array
from schemas.base import polars_schema
from schemas.prices.capability import Capability, CapabilityLink

SHAPE_OF_SCALE = {
    "aa_intelligence": "log_odds",
    "aa_coding": "log_odds",
    "aa_agentic": "log_odds",
    "gpqa_diamond": "log_odds",
    "mmlu": "log_odds",
    "human_eval": "log_odds",
    "math_500": "log_odds",
    "math_level_5": "log_odds",
    "lmarena_elo": "as_it_is",
    "metr_horizon_p50_min": "logarithm",
    "metr_horizon_p80_min": "logarithm",
}
"""How each scale enters its link, see formula P6."""
LEAST_MODELS = 10
"""Models that both scales must rate before one foretells the other."""
NEWEST = 1 / 3


def latest_scores(capability: pl.DataFrame) -> pl.DataFrame:
    """One score per model and scale: of the newest figures the highest, as versions of one model are rated apart."""
    newest_first = capability.sort("as_of", "score", descending=True)
    return newest_first.unique(["model", "scale"], keep="first", maintain_order=True)


def links_onto_eci(figures: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """The link of every scale that rates enough models of the index (contract `CapabilityLink`).

    `figures`: rows of `Capability` without linked ones; `models`: contract `Model`, for the developers held out together.
    """
    scores = latest_scores(figures).select("model", "scale", "score", "release_date")
    own = scores.filter(pl.col("scale") == "eci").select("model", "release_date", eci="score")
    known = models.select("model", "developer", model_released="release_date")
    rows = []
    for scale, shape in SHAPE_OF_SCALE.items():
        both = (
            scores.filter(pl.col("scale") == scale, _fits(shape))
            .select("model", "score")
            .join(own, on="model")
            .join(known, on="model", how="left")
            .with_columns(released=pl.coalesce("model_released", "release_date"))
            .sort("released", "model", nulls_last=True)
        )
        if both.height < LEAST_MODELS:
            continue
        x, y = shaped(score=both["score"].to_numpy(), shape=shape), both["eci"].to_numpy()
        link = link_of(x=x, y=y)
        missed, held = _of_unseen_developers(x, y, both["developer"].fill_null("").to_list())
        newest = int((both.height - both["released"].null_count()) * NEWEST)
        newest_error, newest_held = _of_the_newest(x, y, both.height - newest) if newest else (None, None)
        rows.append(
            {
                "scale": scale,
                "onto": "eci",
                "shape": shape,
                **vars(link),
                "error_points": float(np.sqrt(np.mean(missed**2))),
                "interval_holds": float(np.mean(held)),
                "newest_error_points": newest_error,
                "newest_n": newest,
                "newest_interval_holds": newest_held,
            }
        )
    return under_contract(CapabilityLink, pl.DataFrame(rows, infer_schema_length=None)).sort("error_points")


def linked(figures: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Rows of the scale `eci_linked`: Epoch's own scores, and for other models what the best link says, with its interval.

    `figures` as in `links_onto_eci`; `links`: contract `CapabilityLink`. Of several scales that rate a model the one counts
    whose link missed least on developers it had not seen.
    """
    columns = list(polars_schema(Capability))
    own = figures.filter(pl.col("scale") == "eci").with_columns(scale=pl.lit("eci_linked"))
    others = latest_scores(figures).join(own, on="model", how="anti")
    parts = [own.select(columns)]
    for row in links.sort("error_points").iter_rows(named=True):
        here = others.filter(pl.col("scale") == row["scale"], _fits(row["shape"]))
        others = others.join(here, on="model", how="anti")
        link = Link(**{name: row[name] for name in Link.__dataclass_fields__})
        said = foretold(link=link, x=shaped(score=here["score"].to_numpy(), shape=row["shape"]))
        parts.append(
            here.with_columns(
                scale=pl.lit("eci_linked"),
                score=pl.Series(said.score),
                score_low=pl.Series(said.low),
                score_high=pl.Series(said.high),
                source=pl.col("source"),
                basis=pl.lit("linked"),
                source_model=pl.format("{} on {}", "source_model", pl.lit(row["scale"])),
            ).select(columns)
        )
    return under_contract(Capability, pl.concat(parts, how="vertical_relaxed"))


def _fits(shape: str) -> pl.Expr:
    """Whether a score can take a shape: none of all or nothing has log-odds."""
    score = pl.col("score")
    return {"log_odds": (score > 0) & (score < 100), "logarithm": score > 0, "as_it_is": score.is_not_null()}[shape]


def _of_unseen_developers(x: Array, y: Array, developers: list[str]) -> tuple[Array, Array]:
    """What links miss of each developer's models that took no part in them, and whether their interval held it."""
    names = np.array(developers)
    missed, held = np.zeros(len(x)), np.zeros(len(x))
    for name in set(developers):
        out = names == name
        if (~out).sum() < 3:
            continue
        said = foretold(link=link_of(x=x[~out], y=y[~out]), x=x[out])
        missed[out] = y[out] - said.score
        held[out] = (said.low <= y[out]) & (y[out] <= said.high)
    return missed, held


def _of_the_newest(x: Array, y: Array, older: int) -> tuple[float | None, float | None]:
    """Error and coverage on the newest models, by a link of the older ones; rows are in order of release."""
    if older < 3 or older == len(x):
        return None, None
    said = foretold(link=link_of(x=x[:older], y=y[:older]), x=x[older:])
    holds = (said.low <= y[older:]) & (y[older:] <= said.high)
    return float(np.sqrt(np.mean((y[older:] - said.score) ** 2))), float(np.mean(holds))
