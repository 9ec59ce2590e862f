"""Where the next dollar goes: elasticities of accuracy in samples and in training, and the lines that divide them."""

from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from figures.exhibit import Exhibit, day, in_words, rows
from figures.style import BLACK, BLUE, GREEN, GREY, INK, ORANGE, PURPLE, VERMILLION, house_style, log_axis, sheet

PAIRINGS = {
    "own_checkpoints": (BLUE, "o", "training measured on its own checkpoints"),
    "another_system": (ORANGE, "s", "training arc of another system, a loan"),
    "same_lineage": (VERMILLION, "D", "training measured in its lineage"),
}
RATIOS = (0.01, 0.1, 1.0, 10.0)
FORMS = {
    "published_verdict": ("as published: (ηN - 1) / ηT", BLACK, "o", "-"),
    "lagrangian_verdict": ("Lagrangian: ηN / ηT", GREEN, "s", "--"),
    "shared_cost_verdict": ("shared fixed cost: (ηN - s) / ηT", PURPLE, "^", "-."),
}
LEAST_ETA = 0.002


def draw(*, inference_frontier: pl.DataFrame) -> Exhibit:
    """Left the map of arcs with threshold lines, right the share of arcs that each form gives to inference."""
    paired = inference_frontier.drop_nulls(["eta_training", "dollar_ratio"])
    arcs = rows(
        paired.unique(
            ["paper", "benchmark", "system", "curve", "samples_from", "samples_to"], keep="first", maintain_order=True
        ),
        of="arc with both elasticities",
    )
    to_inference = [(pl.col(form) == "inference").mean().alias(form.replace("_verdict", "_inference_share")) for form in FORMS]
    shares = paired.group_by("dollar_ratio").agg(to_inference).sort("dollar_ratio")
    with house_style():
        picture = sheet(5.0)
        left, right = picture.subplots(1, 2, width_ratios=(1.45, 1))
        _map(left, arcs)
        _shares(right, shares)
    above = arcs.filter(pl.col("eta_samples") > 1 + 1e-6).height
    middle = shares.filter(pl.col("dollar_ratio") == 1.0)
    told = "".join(
        f" At equal dollars the published form sends {r['published_inference_share']:.0%} of them to inference, the Lagrangian "
        f"{r['lagrangian_inference_share']:.0%}, the shared-cost form {r['shared_cost_inference_share']:.0%}."
        for r in middle.iter_rows(named=True)
    )
    helped = arcs.filter(pl.col("eta_training") > 0).height
    return Exhibit(
        finding=(
            f"Of {in_words(arcs.height, 'measured arc')} with both elasticities, {above} have an elasticity in samples above "
            "1, which the published condition needs wherever training helps at all." + told
        ),
        alt=(
            f"Left: elasticity of accuracy in samples against elasticity in training for {helped} arcs where training helps, "
            "with slanted lines on which the Lagrangian verdict turns at a dollar ratio. Right: share of arcs sent to "
            "inference by each of three forms, against the ratio of inference to training dollars."
        ),
        as_of=f"Prices of {day(arcs['as_of'].max())}; arcs as measured by their documents.",
        uncertainty=(
            "Bars: 95 % intervals of both elasticities, the shares taken as independent; upright ones that reach 0 and those "
            f"of the checkpoints are in the table only. {arcs.height - helped} arcs where training did not help have no place "
            "on the logarithmic map; they count on the right. The dollar ratio is a scenario: no source tells a model's "
            "lifetime inference dollars."
        ),
        numbers=arcs.select(
            "paper",
            "benchmark",
            "system",
            "curve",
            "samples_from",
            "samples_to",
            "eta_samples",
            "eta_samples_low",
            "eta_samples_high",
            "eta_training",
            "eta_training_low",
            "eta_training_high",
            "training_pairing",
            "lagrangian_flipping_dollar_ratio",
        ).with_columns(pl.selectors.float().round_sig_figs(4)),
        picture=picture,
    )


def _map(axes: Axes, arcs: pl.DataFrame) -> None:
    placed = arcs.filter(pl.col("eta_training") > 0, pl.col("eta_samples") > LEAST_ETA / 2)
    across = np.array([0.003, 60.0])
    for ratio in RATIOS:
        axes.plot(across, ratio * across, color=GREY, linewidth=0.9, linestyle="--", zorder=1)
        axes.text(
            *_on_edge(ratio),
            _ratio_in_words(ratio),
            fontsize=7.5,
            color=INK,
            rotation=float(np.degrees(np.arctan(ratio))),
            transform_rotates_text=True,
            rotation_mode="anchor",
            ha="left",
            va="bottom",
        )
    axes.axhline(1.0, color=BLACK, linewidth=1.2, zorder=1)
    axes.annotate("published form: inference only above this line", (50, 1.08), fontsize=7.5, ha="right", va="bottom")
    for pairing, (colour, marker, label) in PAIRINGS.items():
        part = placed.filter(training_pairing=pairing)
        if part.is_empty():
            continue
        own = pairing == "own_checkpoints"
        if not own:
            _bars(axes, part, colour)
        axes.plot(
            part["eta_training"],
            part["eta_samples"],
            linestyle="none",
            marker=marker,
            color=colour,
            markersize=3 if own else 5,
            alpha=0.45 if own else 1,
            markeredgewidth=0,
            label=f"{label} ({part.height})",
        )
    log_axis(axes, "x", (0.01, 0.1, 1, 10))
    log_axis(axes, "y", (0.01, 0.1, 1))
    axes.set_xlim(0.006, 60)
    axes.set_ylim(LEAST_ETA, 2.2)
    axes.set_xlabel("elasticity of accuracy in training, ηT")
    axes.set_ylabel("elasticity of accuracy in samples, ηN")
    axes.set_title("Inference above a line, training below it")
    axes.legend(loc="upper left", bbox_to_anchor=(-0.01, -0.13))


def _on_edge(ratio: float) -> tuple[float, float]:
    """Where a line of the map leaves its left or lower edge."""
    return (max(0.0065, 1.15 * LEAST_ETA / ratio), max(0.0065 * ratio, 1.15 * LEAST_ETA))


def _ratio_in_words(ratio: float) -> str:
    what = " inference : training dollars" if ratio == RATIOS[0] else ""
    return f"{what} {ratio:g} : 1" if ratio >= 1 else f"{what} 1 : {1 / ratio:g}"


def _bars(axes: Axes, part: pl.DataFrame, colour: str) -> None:
    """A bar across for every training arc once, at its highest point, and upright ones for intervals above 0."""
    highest = part.sort("eta_samples", descending=True).unique("eta_training", keep="first", maintain_order=True)
    across = highest.filter(pl.col("eta_training_low") > 0, pl.col("eta_training_high").is_not_null())
    upright = part.filter(pl.col("eta_samples_low") > LEAST_ETA)
    look: dict[str, Any] = {"fmt": "none", "ecolor": colour, "elinewidth": 0.9, "capsize": 2}
    axes.errorbar(across["eta_training"], across["eta_samples"], xerr=_reach(across, "eta_training"), **look)
    axes.errorbar(upright["eta_training"], upright["eta_samples"], yerr=_reach(upright, "eta_samples"), **look)


def _reach(arcs: pl.DataFrame, value: str) -> list[pl.Series]:
    """How far the interval of an elasticity reaches below and above it."""
    return [(arcs[value] - arcs[f"{value}_low"]).clip(0), (arcs[f"{value}_high"] - arcs[value]).clip(0)]


def _shares(axes: Axes, shares: pl.DataFrame) -> None:
    for form, (label, colour, marker, dashes) in FORMS.items():
        share = shares[form.replace("_verdict", "_inference_share")]
        axes.plot(shares["dollar_ratio"], 100 * share, color=colour, marker=marker, linestyle=dashes, label=label)
    ratios = shares["dollar_ratio"].to_list()
    log_axis(axes, "x", ratios)
    axes.set_ylim(0, 105)
    axes.set_xlabel("inference dollars per training dollar, scenario")
    axes.set_ylabel("arcs where the next dollar goes to inference, %")
    axes.set_title("Three forms of the condition")
    axes.legend(loc="upper left", bbox_to_anchor=(-0.01, -0.13))
