"""A budget over one benchmark: what training, samples and a dearer model add in correct answers, within what was measured.

None of these leaves the range of its measurement: money that would buy samples beyond the longest measured curve, or training
beyond the measured step, stays unspent, because nothing says what it would buy.
"""

import numpy as np

from economics.units import Array, Real, require_non_negative, require_positive, require_share


def samples_affordable(*, budget_usd: Real, queries: Real, usd_per_sample: Real, most_samples: Real) -> Real:
    """Samples per question that a budget buys on top of the first one: min(1 + B / (Q c), most measured).

    Arguments broadcast; $, questions, $ a sample, samples at the end of the measured curve.
    Source: formula T9.
    """
    require_non_negative(budget_usd=budget_usd)
    require_positive(queries=queries, usd_per_sample=usd_per_sample, most_samples=most_samples)
    return np.minimum(1.0 + np.divide(budget_usd, np.multiply(queries, usd_per_sample)), most_samples)


def lent_accuracy(*, accuracy: Real, lender_from: Real, lender_to: Real) -> Real:
    """Accuracy after a step that took another system from one accuracy to another: the same odds ratio.

    Arguments broadcast; shares, `lender_from` in (0, 1). A system at `lender_from` ends exactly at `lender_to`; one that is
    better already gains less, and none passes 1, as an elasticity carried over would let it.
    Source: derived (odds ratios carry over between base rates; elasticities do not near 1).
    """
    require_share(accuracy=accuracy, lender_to=lender_to)
    if not np.all(np.greater(lender_from, 0.0) & np.less(lender_from, 1.0)):
        raise ValueError(f"lender_from must lie between 0 and 1, got {lender_from}")
    start, before, after = (np.asarray(share, dtype=np.float64) for share in (accuracy, lender_from, lender_to))
    hit, missed = start * after * (1.0 - before), (1.0 - start) * (1.0 - after) * before
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(hit + missed > 0.0, hit / (hit + missed), start)[()]


def accuracy_of_samples(*, accuracy: Real, samples: Real, curve_samples: Array, curve_accuracy: Array) -> Real:
    """Accuracy after N samples along a measured curve; another system's is lent as `lent_accuracy` does.

    `accuracy` and `samples` broadcast; the curve is two vectors, samples rising from 1. Between its points ln alpha is straight
    in ln N, as an arc elasticity has it; beyond its end it stays. Source: formula T9.
    """
    require_share(accuracy=accuracy, curve_accuracy=curve_accuracy)
    if curve_samples[0] != 1.0 or curve_accuracy[0] <= 0.0 or np.any(np.diff(curve_samples) <= 0.0):
        raise ValueError("curve_samples must rise from 1, with an accuracy above 0 there")
    reached = np.exp(np.interp(np.log(samples), np.log(curve_samples), np.log(curve_accuracy)))
    return lent_accuracy(accuracy=accuracy, lender_from=curve_accuracy[0], lender_to=np.minimum(reached, 1.0))


def accuracy_of_training(*, accuracy: Real, eta_training: Real, budget_usd: Real, training_usd: Real, step_usd: Real) -> Real:
    """Accuracy after more training: alpha_0 (1 + min(B, step) / D_T)^eta_T, at most 1.

    Arguments broadcast; elasticity of the measured step, $ to spend, $ spent so far, $ of the measured step.
    Source: formula T9.
    """
    require_share(accuracy=accuracy)
    require_non_negative(budget_usd=budget_usd, step_usd=step_usd)
    require_positive(training_usd=training_usd)
    grown = 1.0 + np.minimum(budget_usd, step_usd) / np.asarray(training_usd)
    reached: Array = np.minimum(np.multiply(accuracy, grown**eta_training), 1.0)
    return reached


def share_upgraded(*, budget_usd: Real, queries: Real, extra_usd_per_query: Real) -> Real:
    """Share of questions that a budget moves to another model: min(1, B / (Q extra)); 1 where that model is no dearer.

    Arguments broadcast; $, questions, $ a question on top of what it costs now. Source: derived.
    """
    require_non_negative(budget_usd=budget_usd)
    require_positive(queries=queries)
    extra = np.asarray(extra_usd_per_query, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.divide(budget_usd, np.multiply(queries, extra))
    return np.where(extra > 0.0, np.minimum(share, 1.0), 1.0)[()]


def flipping_eta_samples(*, accuracy: Real, accuracy_to_beat: Real, samples: Real) -> Real:
    """Elasticity in samples from which N samples reach an accuracy: ln(alpha_best / alpha_0) / ln N; inf where N is 1.

    Arguments broadcast. Source: derived from the arc elasticity.
    """
    require_positive(accuracy=accuracy, accuracy_to_beat=accuracy_to_beat, samples=samples)
    with np.errstate(divide="ignore", invalid="ignore"):
        eta = np.log(np.divide(accuracy_to_beat, accuracy)) / np.log(samples)
    return np.where(np.greater(samples, 1.0), eta, np.inf)[()]
