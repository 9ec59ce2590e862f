"""What a verifier is worth: one more point of acceptance or precision in dollars, composition, and choosing one."""

from datetime import datetime
from functools import partial

import numpy as np
import polars as pl

from assets.frames import floats, nullable, under_contract, where_known
from assets.prices.frontier import priced_models
from assets.test_time.cost_per_correct import GROUP
from economics.test_time.cost_per_correct import (
    saving_of_accept_points_usd,
    verified_capability_mtok_per_usd,
    verifier_leniency,
    worth_of_accept_points,
)
from economics.test_time.verifier import (
    both_accept_bounds,
    both_accept_rate,
    composed_cost_spread,
    either_accept_bounds,
    either_accept_rate,
    procurement_cost_bound,
    procurement_gap,
)
from schemas.test_time import verifier_value as contract
from sources.prices.model_map import resolve
from warehouse.table import table

POINT = 0.01
"""One percentage point of acceptance or precision."""
LENIENCY = 0.10
"""How many more wrong answers the lenient verifier accepts, as a share of wrong answers."""
CANDIDATES, PROBES, FAILURE_PROBABILITY = 5, 1000, 0.05
"""The purchase that the procurement bound is stated for."""


@table(schema=contract.VerifierValue, group=GROUP)
def verifier_value(
    cost_per_correct: pl.DataFrame, test_time_figure: pl.DataFrame, llm_price_current: pl.DataFrame, now: datetime
) -> pl.DataFrame:
    """Verifiers with a known precision, and tests that define what is correct, at every measured operating point."""
    judged = pl.concat(
        [
            judged_answers(test_time_figure, llm_price_current),
            tested_answers(cost_per_correct.filter(pl.col("basis") == "published")),
        ],
        how="diagonal_relaxed",
    ).filter(pl.col("accept_rate") + POINT < 1.0)
    alpha, pure = floats(judged, "accept_rate"), floats(judged, "precision")
    base = alpha * pure
    lenient = alpha * (1.0 - pure) / (1.0 - base)
    pair = np.stack([alpha, alpha], axis=-1)
    (least, most), (fewest, all_) = both_accept_bounds(accept_rates=pair), either_accept_bounds(accept_rates=pair)
    gap = procurement_gap(candidates=CANDIDATES, probes=PROBES, failure_probability=FAILURE_PROBABILITY)
    shared = judged.with_columns(
        false_positive_rate=pl.Series(lenient),
        accept_point_worth=pl.Series(np.asarray(worth_of_accept_points(accept_rate=alpha, points=POINT))),
        both_accept_low=pl.Series(least),
        both_accept_high=pl.Series(most),
        both_accept_independent=pl.Series(
            np.asarray(both_accept_rate(first_accept_rate=alpha, second_accept_rate=alpha, covariance=0.0))
        ),
        either_accept_low=pl.Series(fewest),
        either_accept_high=pl.Series(all_),
        either_accept_independent=pl.Series(
            np.asarray(either_accept_rate(first_accept_rate=alpha, second_accept_rate=alpha, covariance=0.0))
        ),
        composition_spread=nullable(composed_cost_spread(accept_rates=pair)),
        procurement_gap=pl.lit(float(gap)),
        as_of=pl.lit(now.date()),
    )
    return under_contract(contract.VerifierValue, with_saving(with_leniency(shared), gap=float(gap))).sort(
        "benchmark", "system"
    )


def judged_answers(figures: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Models whose answers one verifier accepted and a stricter one judged, with their price where one is known."""
    shares = figures.filter(
        (pl.col("paper") == "stroebl") & pl.col("metric").is_in(["true_accuracy", "verifier_precision"])
    ).pivot("metric", index=["benchmark", "system", "version", "n"], values="value")
    ids = shares.select(source=pl.lit("stroebl"), source_provider=pl.lit(""), source_model=pl.col("system"))
    named = resolve(ids, listed=False).select("model", system="source_model")
    cpm = priced_models(prices).select(
        "model", cpm_usd_per_mtok=(pl.col("input_usd_per_mtok") + pl.col("output_usd_per_mtok")) / 2.0
    )
    return (
        shares.join(named, on="system", how="left")
        .join(cpm, on="model", how="left")
        .select(
            "benchmark",
            "system",
            "n",
            "cpm_usd_per_mtok",
            verifier=pl.lit("HumanEval tests, judged by HumanEval+"),
            configuration="version",
            why_no_interval=pl.when(pl.col("n").is_null()).then(pl.lit("the document does not state its questions")),
            accept_rate=pl.col("true_accuracy") / pl.col("verifier_precision"),
            precision=pl.col("verifier_precision") / 100.0,
        )
    )


def tested_answers(costs: pl.DataFrame) -> pl.DataFrame:
    """Measured runs in which the benchmark's own tests accept. `costs`: contract `CostPerCorrect`."""
    return costs.filter(
        pl.col("selection").is_in(["feedback", "coverage", "single"]), ~pl.col("superseded"), pl.col("accuracy") > 0.0
    ).select(
        "benchmark",
        "system",
        "configuration",
        "n",
        "corrected_usd_per_correct",
        precision=pl.lit(1.0),  # by definition: what these tests accept is what correct means here
        verifier=pl.lit("the benchmark's own tests, which define correct"),
        accept_rate="accuracy",
        accept_rate_low="accuracy_low",
        accept_rate_high="accuracy_high",
    )


def with_leniency(judged: pl.DataFrame) -> pl.DataFrame:
    """Both costs of a million answer tokens at the measured verifier and at one that accepts more wrong answers."""
    priced = judged.filter(pl.col("cpm_usd_per_mtok").is_not_null())
    correct = floats(priced, "accept_rate") * floats(priced, "precision")
    false_positives = floats(priced, "false_positive_rate")
    as_is, lenient = (
        verifier_leniency(
            price_usd_per_mtok=floats(priced, "cpm_usd_per_mtok"),
            reasoning_multiplier=1.0,
            base_correct_rate=correct,
            true_positive_rate=1.0,
            false_positive_rate=np.minimum(false_positives + more, 1.0),
        )
        for more in (0.0, LENIENCY)
    )
    costs = priced.select(
        "benchmark",
        "system",
        "configuration",
        published_usd_per_accepted_mtok=nullable(as_is.published_usd_per_accepted_mtok),
        corrected_usd_per_correct_mtok=nullable(as_is.corrected_usd_per_correct_mtok),
        lenient_published_usd_per_accepted_mtok=nullable(lenient.published_usd_per_accepted_mtok),
        lenient_corrected_usd_per_correct_mtok=nullable(lenient.corrected_usd_per_correct_mtok),
    )
    return judged.join(costs, on=["benchmark", "system", "configuration"], how="left")


def with_saving(judged: pl.DataFrame, *, gap: float) -> pl.DataFrame:
    """What one more point of acceptance or precision saves, and the bound on a wrongly chosen verifier."""

    def saving(cost: str, share: str) -> pl.Series:
        may_rise = np.where(floats(judged, share) + POINT < 1.0, floats(judged, share), np.nan)
        return nullable(
            where_known(partial(saving_of_accept_points_usd, points=POINT), cost_usd=floats(judged, cost), accept_rate=may_rise)
        )

    price = floats(judged, "cpm_usd_per_mtok")
    capability = where_known(verified_capability_mtok_per_usd, price_usd_per_mtok=price)
    bound = where_known(
        procurement_cost_bound,
        price_usd_per_mtok=price,
        reasoning_multiplier=1.0,
        extra_rollouts=0.0,
        least_accept_rate=floats(judged, "accept_rate"),
        gap=gap,
    )
    return judged.with_columns(
        accept_point_saving_usd_per_mtok=saving("corrected_usd_per_correct_mtok", "accept_rate"),
        precision_point_saving_usd_per_mtok=saving("corrected_usd_per_correct_mtok", "precision"),
        accept_point_saving_usd=saving("corrected_usd_per_correct", "accept_rate"),
        procurement_bound_usd_per_mtok=nullable(bound),
        verified_capability_mtok_per_usd=nullable(capability),
    )
