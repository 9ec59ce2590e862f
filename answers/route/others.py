"""What a router is compared with: each model alone, an oracle, cascades, routers that ran, sampling that stops early."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from answers.route.files import STRATEGY
from answers.route.record import Compared, Model
from answers.route.sides import Items
from economics.numeric.statistics import bootstrap_weights
from economics.routing.curve import best_quality_at, on_hull
from economics.routing.judged import JudgedEstimate, estimates, judge_items, summarised
from economics.routing.patterns import replay_voting
from economics.units import Array

SEED = 20_260_516
_REPLICATES = 1_000
_ANSWERS = 3
"""Fewest samples of an item at which a majority differs from a single answer."""


def single_models(items: Items) -> list[Model]:
    """Every model for all items, the cheapest first, and whether it is worth a call."""
    outcomes, unit, weak = items.outcomes, items.unit, items.sides.weak
    rng = np.random.default_rng(SEED)
    mean_quality, mean_cost = outcomes.quality.mean(axis=0), outcomes.cost.mean(axis=0)
    hull = set(on_hull(quality=mean_quality, cost=mean_cost).tolist())
    latency = items.latency_s.mean(axis=0) if items.latency_s is not None else None
    found = []
    for at in np.argsort(mean_cost, kind="stable"):
        sent = np.ones(len(outcomes.quality))
        known = estimates(
            judge_items(outcomes, unit=unit, sent=sent, quality=outcomes.quality[:, at], cost=outcomes.cost[:, at]),
            strong=int(at),
            weak=weak,
            rng=rng,
        )
        found.append(
            Model(
                model=items.models[at],
                quality=known["quality"],
                cost=known["cost"],
                cost_per_correct=known["cost_per_correct"],
                latency_s=float(latency[at]) if latency is not None else None,
                worth_calling=int(at) in hull,
            )
        )
    return found


def compared_policies(
    items: Items, *, routers: pl.DataFrame, samples: pl.DataFrame, verifier_cost: float = 0.0
) -> list[Compared]:
    """Oracle, cascades, routers that ran, and adaptive sampling where answers were sampled."""
    outcomes, unit, strong, weak = items.outcomes, items.unit, items.sides.strong, items.sides.weak
    rng = np.random.default_rng(SEED)
    quality, cost = outcomes.quality, outcomes.cost
    rows = np.arange(len(quality))

    def known(sent: Array, reached: Array, spent: Array) -> dict[str, JudgedEstimate]:
        return estimates(
            judge_items(outcomes, unit=unit, sent=sent, quality=reached, cost=spent), strong=strong, weak=weak, rng=rng
        )

    best = _best_and_cheapest(quality, cost)
    failed = 1.0 - quality[:, weak]
    names = items.models
    found = [
        Compared(
            name="oracle",
            basis="knows which model will be right, and takes the cheapest that is",
            estimates=known((best == strong).astype(np.float64), quality[rows, best], cost[rows, best]),
        ),
        Compared(
            name=f"verified cascade {names[weak]} then {names[strong]}",
            basis="asks the second where a verifier that is never wrong (a test) rejects the first: an upper bound",
            estimates=known(
                failed,
                np.maximum(quality[:, weak], quality[:, strong]),
                cost[:, weak] + verifier_cost + failed * cost[:, strong],
            ),
        ),
        Compared(
            name=f"union of {names[weak]} and {names[strong]}",
            basis="asks both and counts the better answer: an upper bound",
            estimates=known(
                np.ones(len(quality)),
                np.maximum(quality[:, weak], quality[:, strong]),
                cost[:, weak] + cost[:, strong] + verifier_cost,
            ),
        ),
    ]
    found += _routers_that_ran(items, routers, rng)
    found += [adaptive for name in names if (adaptive := _adaptive_sampling(samples, name, rng)) is not None]
    return found


def _best_and_cheapest(quality: Array, cost: Array) -> NDArray[np.int64]:
    """Per item the best model, of those as good the cheapest."""
    best = np.zeros(len(quality), dtype=np.int64)
    good, spent = quality[:, 0].copy(), cost[:, 0].copy()
    for at in range(1, quality.shape[1]):
        better = (quality[:, at] > good) | ((quality[:, at] == good) & (cost[:, at] < spent))
        best[better], good[better], spent[better] = at, quality[better, at], cost[better, at]
    return best


def _routers_that_ran(items: Items, routers: pl.DataFrame, rng: np.random.Generator) -> list[Compared]:
    if routers.is_empty():
        return []
    outcomes, strong, weak = items.outcomes, items.sides.strong, items.sides.weak
    known = items.facts.select(pl.col("item").cast(pl.String)).with_row_index("at")
    found = []
    for (name,), rows in routers.drop_nulls(["correct", "cost_usd"]).group_by(STRATEGY, maintain_order=True):
        joined = known.join(rows.unique("item", keep="first"), on="item", how="inner").sort("at")
        if joined.is_empty():
            continue
        at = joined["at"].to_numpy()
        sent = (joined["model"] == items.models[strong]).to_numpy().astype(np.float64)
        chosen = np.zeros(len(outcomes.quality), dtype=np.bool_)
        chosen[at] = True
        part = outcomes.kept(chosen)
        inside = np.unique(items.unit[at], return_inverse=True)[1]
        judged = judge_items(
            part, unit=inside, sent=sent, quality=joined["correct"].to_numpy(), cost=joined["cost_usd"].to_numpy()
        )
        gain = part.quality[:, strong] - part.quality[:, weak]
        found.append(
            Compared(
                name=str(name),
                basis=f"a router that ran, on {joined.height:,} items; chosen beforehand",
                estimates=estimates(judged, strong=strong, weak=weak, rng=rng),
                oracle_quality=best_quality_at(
                    gain=gain, weak_quality=float(part.quality[:, weak].mean()), share=float(sent.mean())
                ),
            )
        )
    return found


def _adaptive_sampling(samples: pl.DataFrame, model: str, rng: np.random.Generator) -> Compared | None:
    """Voting that stops when the majority is sure, against the majority of all samples; None where too few were drawn."""
    if "answer" not in samples.columns:
        return None
    drawn = samples.filter(pl.col("model") == model).drop_nulls(["answer", "correct"])
    counts = drawn.group_by("item").len()
    if counts.is_empty() or int(counts["len"].to_numpy().max()) < _ANSWERS:
        return None
    most = int(np.median(counts["len"].to_numpy()))
    full = drawn.join(counts.filter(pl.col("len") >= most), on="item", how="semi").with_columns(
        code=pl.col("answer").rank("dense").over("item").cast(pl.Int64) - 1,
        cost_usd=pl.col("cost_usd").fill_null(1.0),
    )
    kept = full.group_by("item", maintain_order=True).agg(pl.col("code", "correct", "cost_usd").head(most))
    codes = np.stack(kept["code"].to_list()).astype(np.int64)
    right = np.stack(kept["correct"].to_list())
    cost = np.stack(kept["cost_usd"].to_list())
    voting = replay_voting(answers=codes)

    def correct_of(answer: NDArray[np.int64]) -> Array:
        same = codes == answer[:, None]
        share: Array = (right * same).sum(axis=1) / np.maximum(same.sum(axis=1), 1)
        return share

    used = np.arange(most)[None, :] < voting.samples_used[:, None]
    columns = np.column_stack(
        [
            voting.samples_used.astype(np.float64),
            correct_of(voting.answer),
            correct_of(voting.full_answer),
            right[:, 0],
            (cost * used).sum(axis=1),
            cost.sum(axis=1),
            (voting.answer == voting.full_answer).astype(np.float64),
        ]
    )
    weights = np.concatenate(
        [np.ones((1, len(columns))), bootstrap_weights(items=len(columns), replicates=_REPLICATES, rng=rng)]
    )
    means = weights @ columns / weights.sum(axis=1, keepdims=True)
    values = {
        "samples_used": means[:, 0],
        "quality": means[:, 1],
        "majority_quality": means[:, 2],
        "quality_less_majority": means[:, 1] - means[:, 2],
        "single_quality": means[:, 3],
        "cost": means[:, 4],
        "saving_against_all_samples": 1.0 - means[:, 4] / means[:, 5],
        "agreement": means[:, 6],
    }
    return Compared(
        name=f"adaptive sampling of {model}",
        basis=f"stops when the leading answer is 95 % sure to stay ahead, at most {most} samples, {len(columns):,} items",
        estimates={name: summarised(value) for name, value in values.items()},
    )
