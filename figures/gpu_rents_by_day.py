"""What an hour of a GPU cost on each day: a rental index over months, and all markets on one day."""

from datetime import date

import polars as pl
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, MonthLocator

from figures.exhibit import Exhibit, day, rows
from figures.style import BLUE, GREY, SERIES, house_style, sheet

GPU = "h100-sxm"


def draw(*, gpu_rent_daily: pl.DataFrame, hardware_factor_by_day: pl.DataFrame) -> Exhibit:
    """Left the index of each GPU day by day, right one GPU in every market and term on the last day of all of them."""
    index = rows(gpu_rent_daily.filter(term="rental_index").sort("source_gpu", "as_of"), of="rental index")
    markets = on_one_day(gpu_rent_daily.filter(gpu=GPU))
    with house_style():
        picture = sheet(3.6)
        left, right = picture.subplots(1, 2, width_ratios=(1.2, 1))
        _index(left, index)
        _markets(right, markets)
        picture.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    of_gpu = rows(index.filter(gpu=GPU), of=f"rental index of {GPU}")["usd_per_gpu_hour"].to_list()
    factor = rows(hardware_factor_by_day.sort("last_on"), of="hardware factor").row(-1, named=True)
    return Exhibit(
        finding=(
            f"By the index an hour of an H100 went from ${of_gpu[0]:.2f} to ${of_gpu[-1]:.2f}. Served on the cheaper of "
            f"{factor['gpus']}, a token cost {1.0 / factor['factor']:.2f} times as much on {day(factor['last_on'])} as "
            f"on {day(factor['first_on'])}: hardware became {factor['direction']}."
        ),
        alt=(
            f"Left: a line per GPU, dollars per hour day by day. Right: a row per market and term of {GPU} on one day, "
            "with its price; the index, posted prices, and quantiles over offers stand apart."
        ),
        as_of=f"Index from {day(index['as_of'].min())} to {day(index['as_of'].max())}; markets on {day(markets['as_of'][0])}.",
        uncertainty=(
            "An index, a posted price and a quantile over offers are three things. How the index weighs sellers is not "
            "stated. What a seller asks is no price paid, and days on which nobody looked are missing. The pace of a "
            "few months is no trend: its interval is in marts.gpu_rent_change."
        ),
        numbers=markets.select("provider", "term", "instance_type", "statistic", "usd_per_gpu_hour", "offers"),
        picture=picture,
    )


def on_one_day(rents: pl.DataFrame) -> pl.DataFrame:
    """Rents of the last day on which most markets are known, dearest first."""
    counted = rents.group_by("as_of").agg(markets=pl.struct("provider", "term").n_unique()).sort("markets", "as_of")
    last = rows(counted, of=f"rent of {GPU}")["as_of"][-1]
    assert isinstance(last, date)
    return rents.filter(as_of=last).sort("usd_per_gpu_hour", descending=True)


def _index(axes: Axes, index: pl.DataFrame) -> None:
    for (gpu,), part in index.group_by("source_gpu", maintain_order=True):
        colour, _, line = SERIES[index["source_gpu"].unique(maintain_order=True).to_list().index(gpu) % len(SERIES)]
        axes.plot(part["as_of"].to_numpy(), part["usd_per_gpu_hour"].to_numpy(), color=colour, linestyle=line, label=str(gpu))
    axes.set_ylim(bottom=0.0)
    axes.xaxis.set_major_locator(MonthLocator())  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%b %Y"))  # type: ignore[no-untyped-call]
    axes.set_ylabel("$ per GPU-hour")
    axes.set_title("Rental index (Ornn)")


def _markets(axes: Axes, markets: pl.DataFrame) -> None:
    at = list(range(markets.height))
    axes.barh(at, markets["usd_per_gpu_hour"].to_list(), color=BLUE, height=0.6)
    product = pl.when(pl.col("instance_type").is_null()).then(pl.lit("")).otherwise(pl.format(", {}", "instance_type"))
    kind = pl.when(pl.col("statistic") == "price").then(pl.lit("")).otherwise(pl.format(", {}", "statistic"))
    names = markets.select(
        pl.format("{}: {}{}{}", "provider", pl.col("term").cast(pl.String).str.replace_all("_", " "), product, kind)
    )
    axes.set_yticks(at, names.to_series().to_list())
    for place, usd in zip(at, markets["usd_per_gpu_hour"], strict=True):
        axes.text(usd, place, f" {usd:.2f}", va="center", color=GREY, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("$ per GPU-hour")
    axes.set_title(f"{GPU} on {markets['as_of'][0]:%-d %B %Y}")
