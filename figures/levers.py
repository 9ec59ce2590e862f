"""Levers as a waterfall: what each does alone to the cost of a token, and what they do together."""

from math import log10

import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from figures.exhibit import Exhibit, day, in_words, rows
from figures.style import GREEN, GREY, INK, ORANGE, VERMILLION, house_style, log_axis, sheet

LOOKS = {
    "cost": (GREY, "", "cost of a token"),
    "saves": (GREEN, "", "lever alone, saves"),
    "costs": (VERMILLION, "///", "lever alone, costs"),
    "interaction": (ORANGE, "...", "interaction: together against the product of each alone"),
}
PANELS = 6


def draw(*, lever_effects: pl.DataFrame) -> Exhibit:
    """A panel per operating point: its cost, each lever of its largest stack alone, the interaction, the cost with all."""
    stacks = rows(largest_stacks(lever_effects).head(PANELS), of="stack of levers that meets its contract")
    steps = pl.concat([steps_of(stack, lever_effects) for stack in stacks.iter_rows(named=True)])
    with house_style():
        lines = -(-stacks.height // 2)
        picture = sheet(0.8 + 1.75 * lines)
        panels = picture.subplots(lines, min(2, stacks.height), squeeze=False).ravel()
        for axes, stack in zip(panels, stacks.iter_rows(named=True), strict=False):
            _panel(axes, steps.filter(operating_point=stack["operating_point"]), stack)
        for axes in panels[stacks.height :]:
            axes.set_axis_off()
        handles = [Patch(facecolor=c, hatch=h, edgecolor="white", label=label) for c, h, label in LOOKS.values()]
        picture.legend(handles=handles, loc="outside upper center", ncols=4)
    best = stacks.sort("usd_ratio").row(0, named=True)
    twice = stacks.filter(pl.col("usd_interaction") > 1.02).height
    return Exhibit(
        finding=(
            f"Together levers take the cost of a token down to {best['usd_ratio']:.0%} at best ({best['operating_point']}: "
            f"{best['levers']}). In {twice} of {in_words(stacks.height, 'stack')} they save the same cost twice, so that the "
            "product of their single effects promises too much."
        ),
        alt=(
            f"Waterfalls for {in_words(stacks.height, 'operating point')} on logarithmic axes: from the cost as it stands, by "
            "each lever's own effect and by their interaction, to the cost with all of them."
        ),
        as_of=f"Rents of {day(lever_effects['as_of'].max())}.",
        uncertainty=(
            "Bars are predictions of the closed forms at stated parameters, without an interval of their own. Where the "
            "lever's published gains could be predicted, the table gives the median error of these predictions: above 0 the "
            "closed forms promise too much."
        ),
        numbers=steps.drop("start", "end").with_columns(pl.selectors.float().round_sig_figs(4)),
        picture=picture,
    )


def largest_stacks(effects: pl.DataFrame) -> pl.DataFrame:
    """Of each operating point the stack of most levers that meets the contract; of several the cheapest."""
    known = effects.filter(pl.col("n_levers") > 1, pl.col("feasible"), pl.col("product_usd_ratio").is_not_null())
    order = known.sort("n_levers", "usd_ratio", descending=[True, False])
    return order.unique("operating_point", keep="first", maintain_order=True).drop_nulls(["usd_per_mtok", "usd_interaction"])


def steps_of(stack: dict[str, object], effects: pl.DataFrame) -> pl.DataFrame:
    """The bars of one waterfall: step, kind, factor on the cost, where it starts and ends, and the error of its anchors."""
    alone = effects.filter(pl.col("operating_point") == stack["operating_point"], pl.col("n_levers") == 1)
    single = {row["levers"]: row for row in alone.iter_rows(named=True)}
    end, ratio, interaction = (stack[name] for name in ("usd_per_mtok", "usd_ratio", "usd_interaction"))
    assert isinstance(end, float)
    assert isinstance(ratio, float)
    assert isinstance(interaction, float)
    at = end / ratio
    bars: list[tuple[str, str, float | None, float | None, float, float | None]] = [
        ("as it stands", "cost", None, None, at, None)
    ]
    for lever in str(stack["levers"]).split(" + "):
        factor = single[lever]["usd_ratio"] if lever in single else None
        if factor is not None:
            kind = "saves" if factor <= 1 else "costs"
            bars.append((lever.replace("_", " "), kind, factor, at, at * factor, single[lever]["anchor_median_error"]))
            at *= factor
    bars += [("interaction", "interaction", interaction, at, end, None), ("together", "cost", ratio, None, end, None)]
    frame = pl.DataFrame(
        bars,
        orient="row",
        schema={
            "step": pl.String,
            "kind": pl.String,
            "factor": pl.Float64,
            "start": pl.Float64,
            "end": pl.Float64,
            "anchor_median_error": pl.Float64,
        },
    )
    return frame.select(
        operating_point=pl.lit(stack["operating_point"]),
        step="step",
        kind="kind",
        factor="factor",
        usd_per_mtok_after="end",
        anchor_median_error="anchor_median_error",
        start="start",
        end="end",
    )


def _panel(axes: Axes, steps: pl.DataFrame, stack: dict[str, object]) -> None:
    values = [value for value in [*steps["start"], *steps["end"]] if value is not None]
    floor, top = min(values) / 1.6, max(values) * 1.25
    for place, step in enumerate(steps.iter_rows(named=True)):
        colour, hatch, _ = LOOKS[step["kind"]]
        start = floor if step["start"] is None else step["start"]
        low, high = min(start, step["end"]), max(start, step["end"])
        axes.bar(place, high - low, bottom=low, width=0.7, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5)
        text = f"${step['end']:.2g}" if step["kind"] == "cost" else f"x{step['factor']:.2f}"
        axes.annotate(
            text, (place, high), xytext=(0, 1.5), textcoords="offset points", ha="center", fontsize=7, in_layout=False
        )
    ticks = [value for value in (s * 10.0**p for p in range(-4, 4) for s in (1, 2, 5)) if floor <= value <= top]
    log_axis(axes, "y", ticks, "${:g}")
    axes.set_ylim(floor, 10 ** (log10(top) + 0.06 * (log10(top) - log10(floor))))
    names, many = steps["step"].to_list(), steps.height > 6
    if many:
        axes.set_xticks(range(steps.height), names, fontsize=7, rotation=25, ha="right", rotation_mode="anchor")
    else:
        axes.set_xticks(range(steps.height), [name.replace(" ", "\n", 1) for name in names], fontsize=7)
    axes.grid(visible=False, axis="x")
    axes.set_title(f"{str(stack['operating_point']).replace('_', ' ')}: {stack['model']}, {stack['gpu']}", fontsize=8)
    axes.set_ylabel("$ per M tokens", fontsize=8, color=INK)
