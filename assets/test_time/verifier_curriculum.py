"""The verifier as curriculum: the setter's reward, the published gains, and what the verifier does to the cost of an answer.

A verifier that only trained the solver is paid for once; only one that also selects answers is called on what is served.
"""

from datetime import datetime

import numpy as np
import polars as pl

from assets.frames import floats, nullable, under_contract
from assets.prices.frontier import priced_models
from assets.test_time.cost_per_correct import GROUP
from economics.test_time.cost_per_correct import cost_elasticities, cost_per_correct_answer_usd, rollout_usd
from economics.test_time.verifier import flipping_fixed_usd, setter_reward, verifier_usd_per_call
from economics.units import TOKENS_PER_MTOK
from schemas.test_time import verifier_value as contract
from warehouse.table import table

SOLD_NEAREST = "qwen3-8b"
"""The smallest model of the solver's family that several hosts sell; Qwen3-4B-Base is not sold."""
ROLLOUT_TOKENS, VERDICT_TOKENS = 4_000.0, 200.0
BUILD_USD, CALLS_PER_USE = 1_000.0, 1e6
"""Scenarios: no document prices a verifier."""
USES = (1, 3)
SYMBOLIC = ("antiderivbench_qualifier", "antiderivbench_competition", "integration_stress_test")


@table(schema=contract.VerifierCurriculum, group=GROUP)
def verifier_curriculum(test_time_figure: pl.DataFrame, llm_price_current: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Each set before and after, with the verifier in training alone and in all three uses."""
    rows = before_and_after(test_time_figure.filter(pl.col("paper") == "vhg"))
    prices = priced_models(llm_price_current).filter(pl.col("model") == SOLD_NEAREST)
    priced = rows.join(
        prices.select("input_usd_per_mtok", "output_usd_per_mtok", price_of="model"), how="left", on=pl.lit(True)
    )
    return under_contract(
        contract.VerifierCurriculum, with_costs(with_rewards(priced)).with_columns(as_of=pl.lit(now.date()))
    ).sort("system", "benchmark", "uses")


def before_and_after(figures: pl.DataFrame) -> pl.DataFrame:
    """One row per trained solver, set and number of uses. `figures`: rows of `TestTimeFigure` on VHG and its peer."""
    share = figures.select("system", "benchmark", "version", "status", "n", accuracy=pl.col("value") / 100.0)
    ours = share.filter(pl.col("system") == "Qwen3-4B-Base + VHG").join(
        share.filter(pl.col("system") == "Qwen3-4B-Base").select("benchmark", accuracy_before="accuracy"),
        on="benchmark",
    )
    peer = share.filter(pl.col("system") == "R-Zero, last iteration").join(
        share.filter(pl.col("system") == "R-Zero, first iteration").select("benchmark", accuracy_before="accuracy"),
        on="benchmark",
    )
    hard = pl.col("benchmark").is_in(SYMBOLIC)
    gated = ours.join(pl.DataFrame({"uses": USES}, schema={"uses": pl.Int64}), how="cross").with_columns(
        verifier=pl.when(hard).then(pl.lit("hard")).otherwise(pl.lit("soft"))
    )
    ungated = peer.with_columns(uses=pl.lit(0, pl.Int64), verifier=pl.lit("none"))
    return pl.concat([gated, ungated], how="diagonal").rename({"accuracy": "accuracy_after"})


def with_rewards(rows: pl.DataFrame) -> pl.DataFrame:
    """What the setter earns for a valid problem before and after, and for one without a right answer."""
    before, after = floats(rows, "accuracy_before"), floats(rows, "accuracy_after")
    ungated = (rows["verifier"] == "none").to_numpy().astype(np.float64)
    return rows.with_columns(
        gain_points=100.0 * (pl.col("accuracy_after") - pl.col("accuracy_before")),
        setter_reward_before=pl.Series(np.asarray(setter_reward(accepted=1.0, solver_accuracy=before))),
        setter_reward_after=pl.Series(np.asarray(setter_reward(accepted=1.0, solver_accuracy=after))),
        invalid_problem_reward=pl.Series(np.asarray(setter_reward(accepted=ungated, solver_accuracy=0.0))),
    )


def with_costs(rows: pl.DataFrame) -> pl.DataFrame:
    """Cost per correct answer before and after, and the fixed cost that eats the gain; NULL without a price."""
    priced = rows["output_usd_per_mtok"].is_not_null().to_numpy()
    names = (
        "rollout_usd",
        "verifier_usd_per_call",
        "usd_per_correct_before",
        "usd_per_correct_after",
        "cost_factor",
        "training_verifier_usd",
        "answers_to_pay_back",
        "flipping_fixed_usd",
        "price_elasticity",
        "verifier_elasticity",
    )
    found = {name: np.full(rows.height, np.nan) for name in names}
    known = rows.filter(pl.Series(priced))
    price, uses = floats(known, "output_usd_per_mtok"), floats(known, "uses")
    each = np.asarray(rollout_usd(price_usd_per_mtok=price, reasoning_multiplier=1.0, answer_tokens=ROLLOUT_TOKENS))
    reads = floats(known, "input_usd_per_mtok") * ROLLOUT_TOKENS + price * VERDICT_TOKENS
    per_call = np.where((known["verifier"] == "soft").to_numpy(), reads / TOKENS_PER_MTOK, 0.0)
    serves = uses == max(USES)
    calls = {
        "filter_calls": np.where(serves, CALLS_PER_USE, 0.0),
        "selection_calls": np.where(serves, CALLS_PER_USE, 0.0),
        "curriculum_calls": np.full(uses.shape, CALLS_PER_USE),
    }
    shared = np.asarray(verifier_usd_per_call(fixed_usd=BUILD_USD, usd_per_call=per_call, **calls))
    verifier = np.where(serves, shared, 0.0)
    in_training = np.where(uses == min(USES), shared * CALLS_PER_USE, np.nan)
    before, after = (
        np.asarray(
            cost_per_correct_answer_usd(
                price_usd_per_mtok=price,
                reasoning_multiplier=1.0,
                answer_tokens=ROLLOUT_TOKENS,
                verifier_usd_per_rollout=paid,
                extra_rollouts=0.0,
                accept_rate=floats(known, column),
                precision=1.0,
            )
        )
        for paid, column in ((0.0, "accuracy_before"), (verifier, "accuracy_after"))
    )
    gain = floats(known, "accuracy_after") / floats(known, "accuracy_before")
    flip = np.asarray(flipping_fixed_usd(accuracy_gain=gain, rollout_usd=each, usd_per_call=per_call, **calls))
    moves = cost_elasticities(tokens_usd_per_rollout=each, verifier_usd_per_rollout=verifier)
    saved = before - after
    values = (
        each,
        verifier,
        before,
        after,
        after / before,
        in_training,
        np.divide(in_training, saved, out=np.full(saved.shape, np.nan), where=saved > 0.0),
        np.where(serves, flip, np.nan),
        np.asarray(moves.price),
        np.asarray(moves.verifier_usd_per_rollout),
    )
    for name, value in zip(names, values, strict=True):
        found[name][priced] = value
    return rows.with_columns(**{name: nullable(value) for name, value in found.items()})
