"""What was metered, as a person reads it: the cost first, then the traffic, the latencies, the headroom."""

from rich.console import Console
from rich.markup import escape

from answers.meter.record import Latency, Metered
from answers.text import number, say, share, show_rows, usd


def sentence(seen: Metered) -> str:
    """The answer in one sentence or two."""
    cost = seen.cost
    name = seen.model or seen.model_written or "the model"
    if seen.requests_per_s is None or not seen.requests:
        return f"{name} on {seen.engine}: nothing ended in that time, so that there is no cost of a token yet."
    rate = f"{number(seen.requests_per_s, digits=3)} requests/s, {number(seen.output_tokens_per_s, digits=3)} tokens/s out"
    if cost is None:
        return f"{name} on {seen.engine}: {rate}."
    here = f"{usd(cost.usd_per_mtok_reserved, digits=3)} per million tokens on {cost.gpus} {cost.gpu}"
    busy = "" if cost.usd_per_mtok_busy is None else f" ({usd(cost.usd_per_mtok_busy, digits=3)} if it were full)"
    if cost.api_seller is None:
        return f"{name} on {seen.engine}: {rate}; {here}{busy}; nobody is known to sell it."
    return (
        f"{name} on {seen.engine}: {rate}; {here}{busy}; the same traffic at {cost.api_seller} costs "
        f"{usd(cost.api_usd_per_mtok, digits=3)}; {_break_even(seen)}."
    )


def show_metered(seen: Metered, *, console: Console) -> None:
    """Print the answer first."""
    say(escape(sentence(seen)), console=console)
    console.print()
    rows = [
        ["replicas", str(seen.replicas) + (f", {seen.restarts} restart(s)" if seen.restarts else "")],
        ["time", "-" if seen.seconds is None else f"{number(seen.seconds, digits=3)} s"],
        ["requests", f"{number(seen.requests)} ended, {number(seen.requests_per_s, digits=3)} a second"],
        ["tokens", f"{number(seen.input_tokens_mean)} in, {number(seen.output_tokens_mean)} out of a request"],
        ["in flight", f"{number(seen.running, digits=3)} running, {number(seen.waiting, digits=3)} waiting"],
        ["prefix cache", f"{share(seen.prefix_hit_share)} of the prompt found; KV cache {share(seen.cache_use)} full"],
    ]
    show_rows(["", ""], rows, console=console)
    console.print()
    latencies = [
        (name.upper(), value) for name, value in (("ttft", seen.ttft), ("tpot", seen.tpot), ("e2e", seen.e2e)) if value
    ]
    if latencies:
        headings = ["", "p50", "p90", "p99", "mean", "bound", "within"]
        show_rows(headings, [_latency(name, each) for name, each in latencies], console=console, right=set(headings[1:]))
        console.print()
    if seen.goodput_per_s is not None:
        say(
            f"goodput: {number(seen.goodput_per_s, digits=3)} requests/s within both bounds if they are independent, "
            f"{number(seen.least_goodput_per_s, digits=3)} to {number(seen.most_goodput_per_s, digits=3)} in any case",
            console=console,
        )
    _headroom(seen, console)
    cost = seen.cost
    if cost is not None:
        say(
            f"cost: {usd(cost.usd_per_gpu_hour)} per GPU-hour ({escape(cost.rent)}), {usd(cost.usd_per_month)} a month; "
            f"calling {escape(cost.api_seller or 'nobody')}: {usd(cost.api_usd_per_month)} a month",
            console=console,
        )
    for note in seen.notes:
        say(escape(note), console=console)


def _latency(name: str, each: Latency) -> list[str]:
    def seconds(value: float | None, *, percentile: bool = True) -> str:
        if value is not None:
            return f"{number(value, digits=3)} s"
        return f"> {number(each.above_s, digits=3)} s" if percentile and each.above_s is not None else "-"

    return [
        name,
        seconds(each.p50_s),
        seconds(each.p90_s),
        seconds(each.p99_s),
        seconds(each.mean_s, percentile=False),
        "-" if each.bound_s is None else f"{each.bound_s:g} s",
        share(each.share_within, each.least_within, each.most_within),
    ]


def _headroom(seen: Metered, console: Console) -> None:
    room = seen.headroom
    if room is None:
        return
    if room.saturation_per_s is None:
        say(escape(f"headroom: not known ({room.reason})"), console=console)
        return
    bounds = "" if room.low_per_s is None else f" ({number(room.low_per_s, digits=3)} to {number(room.high_per_s, digits=3)})"
    used = room.seen_per_s / room.saturation_per_s
    say(
        f"headroom: {number(room.saturation_per_s, digits=3)} requests/s{bounds} predicted within the contract, {used:.0%} of "
        f"it seen; {room.limit} gives first (basis: {room.basis})",
        console=console,
    )


def _break_even(seen: Metered) -> str:
    cost = seen.cost
    assert cost is not None
    if cost.break_even_per_day is None:
        return "at no volume within the contract do these GPUs cost less"
    return (
        f"these GPUs cost less from {number(cost.break_even_per_day, digits=3)} requests a day "
        f"(now {number(cost.requests_per_day, digits=3)})"
    )
