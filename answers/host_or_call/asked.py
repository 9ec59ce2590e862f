"""A question as it is typed: lengths from use or a trace, prices and shares as text, made exact or refused."""

from pathlib import Path
from typing import Any

from answers.host_or_call.loads import load_of, traced
from answers.host_or_call.record import HostOrCallError, HostOrCallQuestion, Owned
from answers.workloads import workload_named


def question_of(
    warehouse: Path,
    *,
    model: str,
    rate: float | None = None,
    input_tokens: float | None = None,
    output_tokens: float | None = None,
    workload: str | None = None,
    peak: float | None = None,
    profile: str | None = None,
    trace: Path | None = None,
    cached: float | None = None,
    api_price: str | None = None,
    accuracy: list[str] | None = None,
    owned: tuple[float, float, float, float, float] | None = None,
    term: str | None = None,
    **stated: Any,
) -> HostOrCallQuestion:
    """The question. What is stated comes before the trace, and that before the workload in use.

    `stated` are further fields of HostOrCallQuestion. Raises HostOrCallError for what is missing or cannot be read.
    """
    if trace is not None and (profile is not None or peak is not None):
        raise HostOrCallError("--trace says how the load moves: leave out --profile and --peak")
    try:
        found = None if trace is None else traced(trace, requests_per_s=rate)
        if found is None and rate is None:
            raise HostOrCallError("give --rate, requests per second in the mean, or --trace FILE")
        load = found.load if found is not None else load_of(requests_per_s=rate or 0.0, peak=peak, profile=profile)
    except ValueError as error:
        raise HostOrCallError(str(error)) from None
    named = None if workload is None else workload_named(warehouse, workload)
    lengths: dict[str, Any] = {}
    for name, option, value in (("input_tokens", "--in", input_tokens), ("output_tokens", "--out", output_tokens)):
        of_trace = None if found is None else getattr(found, name)
        length = value if value is not None else of_trace or (None if named is None else getattr(named, name))
        if length is None:
            raise HostOrCallError(f"give {option}, or --workload, whose lengths come from use")
        lengths[name] = length
    own = _owned(owned, term)
    return HostOrCallQuestion(
        model=model,
        load=load,
        cached_share=cached if cached is not None else (named.cached_share if named is not None else 0.0),
        api_usd_per_mtok=_prices(api_price),
        accuracy=_accuracies(accuracy or []),
        owned=own,
        term="owned" if own is not None else term,
        **lengths,
        **stated,
    )


def _owned(owned: tuple[float, float, float, float, float] | None, term: str | None) -> Owned | None:
    if owned is None:
        if term == "owned":
            raise HostOrCallError("--term owned needs --gpu-usd, the price of a GPU with its share of server and network")
        return None
    if term not in (None, "owned"):
        raise HostOrCallError(f"--gpu-usd is of a GPU of one's own, --term {term} of a rented one: give one of both")
    purchase, years, interest, usd_per_kwh, pue = owned
    for name, value, least in (("gpu-usd", purchase, 0.0), ("life-years", years, 0.0), ("pue", pue, 0.999999)):
        if not least < value < float("inf"):
            raise HostOrCallError(f"--{name} must be above {least:.3g}, got {value:g}")
    for name, value in (("interest", interest), ("usd-per-kwh", usd_per_kwh)):
        if not 0.0 <= value < 10.0:
            raise HostOrCallError(f"--{name} must be 0 or above, such as .08, got {value:g}")
    return Owned(
        purchase_usd=purchase,
        life_years=years,
        interest_per_year=interest,
        usd_per_kwh=usd_per_kwh,
        power_usage_effectiveness=pue,
    )


def _prices(written: str | None) -> tuple[float, ...]:
    if written is None:
        return ()
    parts = written.replace("$", "").split("/")
    try:
        prices = tuple(float(part) for part in parts)
    except ValueError:
        prices = ()
    if len(prices) not in (2, 3) or not all(0.0 <= price < 1000.0 for price in prices) or prices[0] + prices[1] <= 0.0:
        raise HostOrCallError(f"--api-price {written}: IN/OUT or IN/OUT/CACHED in USD per million tokens, such as 2.0/8.0")
    return prices


def _accuracies(written: list[str]) -> dict[str, float]:
    found = {}
    for each in written:
        model, _, share = each.rpartition("=")
        try:
            found[model] = float(share)
        except ValueError:
            model = ""
        if not model:
            raise HostOrCallError(f"--accuracy {each}: MODEL=SHARE, such as llama-3.3-70b=.72")
    return found
