"""The load over a week: from a rate and a peak, a named profile, a file of rates, or a trace of requests."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from economics.serving.load_split import office_week, with_peak, world_week
from economics.units import Array

HOUR_S = 3600.0
PROFILES = {"office": office_week, "round_the_clock": world_week}
LEAST_WINDOWS = 24
"""Of a trace: fewer hours than these are cut into more windows, so that its peak is seen."""
SHORTEST_WINDOW_S = 60.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Load:
    """Requests per second in windows of equal length that repeat."""

    rates_per_s: Array
    window_s: float
    said: str
    """Where it comes from, in words."""

    @property
    def mean_per_s(self) -> float:
        """Mean rate."""
        return float(self.rates_per_s.mean())

    @property
    def peak_factor(self) -> float:
        """Highest rate over the mean."""
        return float(self.rates_per_s.max() / self.rates_per_s.mean())


@dataclass(frozen=True, kw_only=True)
class Traced:
    """What a trace says."""

    load: Load
    input_tokens: float
    output_tokens: float


def load_of(*, requests_per_s: float, peak: float | None, profile: str | None) -> Load:
    """The load of a mean rate. `profile`: office, round_the_clock, or a file with a column of rates of equal windows.

    `peak`: highest rate over the mean; the profile is sharpened or flattened to it. Without a profile the rhythm is that of
    round_the_clock, without both the load is even. Raises ValueError for a rate that is not positive, a peak below 1, and a
    file without rates.
    """
    if not 0.0 < requests_per_s < float("inf"):
        raise ValueError(f"--rate must be positive and finite, got {requests_per_s:g}: requests per second in the mean")
    if profile is None and peak is None:
        return Load(
            rates_per_s=np.full(168, requests_per_s), window_s=HOUR_S, said="an even rate; --peak or --profile say otherwise"
        )
    named = (profile or "round_the_clock").replace("-", "_")
    shape = PROFILES[named]() if named in PROFILES else _from_file(Path(str(profile)))
    try:
        shaped = shape if peak is None else with_peak(shape, peak_factor=peak)
    except ValueError as error:
        raise ValueError(f"--peak: {error}") from None
    source = f"the profile {named} (assumed)" if named in PROFILES else f"the profile in {profile}"
    return Load(
        rates_per_s=shaped * requests_per_s,
        window_s=HOUR_S,
        said=f"{source}, peak {shaped.max():.3g} times the mean",
    )


def traced(file: Path, *, requests_per_s: float | None) -> Traced:
    """The load and mean lengths of a trace, scaled to a rate where one is stated. Raises ValueError for what is none."""
    from sources.serving.user_files import read_trace  # noqa: PLC0415

    try:
        found = read_trace(file.name, file.read_bytes())
    except OSError as error:
        raise ValueError(f"--trace {file}: {error.strerror}") from None
    rows = found.requests
    times = rows["arrived_s"].drop_nulls().to_numpy()
    if len(times) < 2 or not times.max() > times.min():
        raise ValueError(f"--trace {file}: it states no times of arrival, so that there is no rate and no peak; give --rate")
    span = float(times.max() - times.min())
    window = max(min(HOUR_S, span / LEAST_WINDOWS), min(SHORTEST_WINDOW_S, span))
    windows = max(int(span // window), 1)
    counts = np.histogram(times, bins=windows, range=(times.min(), times.min() + windows * window))[0]
    rates = counts / window
    scale = 1.0 if requests_per_s is None else requests_per_s / rates.mean()
    return Traced(
        load=Load(
            rates_per_s=rates * scale,
            window_s=window,
            said=f"{len(times):,} requests of {file.name} over {span / HOUR_S:.3g} hours in windows of {window:.0f} s, peak "
            f"{rates.max() / rates.mean():.3g} times the mean" + ("" if requests_per_s is None else ", scaled to --rate"),
        ),
        input_tokens=float(rows["input_tokens"].mean() or 0.0),  # type: ignore[arg-type]
        output_tokens=float(rows["output_tokens"].mean() or 0.0),  # type: ignore[arg-type]
    )


def _from_file(file: Path) -> Array:
    """Rates of a CSV: its last column of numbers, one window a row."""
    if not file.is_file():
        raise ValueError(f"--profile {file}: neither a file nor one of {', '.join(PROFILES)}")
    try:
        table = pl.read_csv(file)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"--profile {file}: {str(error).splitlines()[0]}") from None
    numbers = [name for name, kind in table.schema.items() if kind.is_numeric()]
    if not numbers:
        raise ValueError(f"--profile {file}: no column of rates; write a header and one rate a row, of windows of one hour")
    rates = table[numbers[-1]].to_numpy().astype(np.float64)
    if not np.isfinite(rates).all() or (rates < 0).any() or rates.sum() <= 0:
        raise ValueError(f"--profile {file}: column {numbers[-1]} must hold rates of 0 or above, not all 0")
    return np.asarray(rates / rates.mean())
