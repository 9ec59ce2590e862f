"""The answer as a person reads it: one sentence, both bills, what would flip it, what it rests on."""

from rich.console import Console
from rich.markup import escape

from answers.host_or_call.record import Call, Host, HostOrCallDecision
from answers.text import number, say, show_rows, usd

MOST_CALLS = 6
MOST_HOSTS = 8
CONTRACT = {"ttft": "TTFT", "tpot": "TPOT", "room": "memory", "e2e": "time of a request"}


def show_host_or_call(decision: HostOrCallDecision, *, console: Console) -> None:
    """Print the answer first, then the table, then what would flip it, then the evidence."""

    def line(text: str = "", *, indent: int = 0) -> None:
        if text:
            say(escape(text), console=console, indent=indent)
        else:
            console.print()

    q = decision.question
    line(sentence(decision))
    line()
    line(
        f"{q.model}: {q.input_tokens:,.0f} tokens in"
        + (f" ({100 * q.cached_share:.0f} % from cache)" if q.cached_share else "")
        + f", {q.output_tokens:,.0f} out, {q.load.mean_per_s:.4g} requests/s "
        f"({number(decision.requests_per_day, digits=3)} a day, {number(decision.mtok_per_month, digits=3)} Mtok a month), "
        f"peak {q.load.peak_factor:.3g} times that, p99 TTFT {q.ttft_p99_s:g} s, p99 TPOT {q.tpot_p99_s:g} s"
    )
    line()
    _calls(decision, console)
    _hosts(decision, console)
    if decision.both is not None and decision.both.saves_usd_per_month > 0.0:
        both = decision.both
        line(
            f"Both: {both.instances} instance(s) ({both.gpus} {both.gpu}) for the base and {both.seller} for "
            f"{100 * both.called_share:.1f} % of the requests: {usd(both.usd_per_month)} a month, saves "
            f"{usd(both.saves_usd_per_month)} (simulated arrivals: {usd(both.simulated_usd_per_month)})"
        )
        line()
    elif decision.best is not None and decision.reference is not None:
        line("Both: no split into a hosted base and called bursts costs less than the cheaper of the two alone")
        line()
    if decision.routed is not None:
        route = decision.routed
        line(f"Route: does it pay? {route.pays}. {route.why}")
        if route.pays == "yes" and route.strong_share is not None:
            line(
                f"{100 * route.strong_share:.0f} % to {route.strong}, the rest to {route.weak}: "
                f"{usd(route.usd_per_month)} a month",
                indent=2,
            )
            for note in route.notes:
                line(note, indent=2)
        line()
    line("What would flip the answer:")
    for flip in decision.flips or ("nothing that is known",):
        line(flip, indent=2)
    line()
    line("Behind it:")
    for each in decision.evidence:
        line(each, indent=2)


def sentence(decision: HostOrCallDecision) -> str:
    """The answer in one sentence or two."""
    return _decided(decision) + _sold_for_less(decision)


def _sold_for_less(decision: HostOrCallDecision) -> str:
    """A seller of the same model that undercuts the answer to the price the user stated."""
    others = [call for call in decision.calls if call is not decision.reference and not call.doubts]
    if not others or decision.usd_per_month is None or others[0].usd_per_month >= decision.usd_per_month:
        return ""
    return f" But {others[0].seller} lists the same model for {usd(others[0].usd_per_month)} a month."


def _decided(decision: HostOrCallDecision) -> str:
    call, host = decision.reference, decision.best
    if call is None and host is None:
        return "Neither: nobody is known to sell this model, and no instance that is known meets the contract."
    if call is None:
        assert host is not None
        return f"Host: {_of_host(host)}; nobody is known to sell this model, nor one at least as capable."
    lead = f"Call: {usd(call.usd_per_month)} a month at {call.seller}" + (
        f" for {call.model}" if call.model != decision.question.model else ""
    )
    if host is None:
        return f"{lead}; no instance that is known meets the contract."
    if decision.answer == "call":
        return f"{lead}; {_break_even(host)}; here it would cost {_of_host(host)}."
    if decision.answer == "host":
        return (
            f"Host: {_of_host(host)}; calling {call.seller} would cost {usd(call.usd_per_month)}; {_break_even(host)}"
            + (f"; it is cheaper in {100 * host.chance_cheaper:.0f} % of draws" if host.chance_cheaper is not None else "")
            + "."
        )
    both = decision.both
    assert both is not None
    return (
        f"Both: host the base on {both.gpus} {both.gpu} and call {both.seller} for the bursts: "
        f"{usd(both.usd_per_month)} a month, against {usd(call.usd_per_month)} called and "
        f"{usd(host.usd_per_month)} hosted; {_break_even(host)}."
    )


def _of_host(host: Host) -> str:
    bounds = _interval(host.low_usd_per_month, host.high_usd_per_month)
    return f"{usd(host.usd_per_month)}{bounds} a month on {host.gpus} {host.gpu}"


def _break_even(host: Host) -> str:
    low, high = host.low_break_even_per_day, host.high_break_even_per_day
    if host.break_even_per_day is None:
        if low is not None:
            return f"hosting pays at no volume (at best from {number(low, digits=3)} requests a day)"
        return "hosting pays at no volume"
    bound = (
        f" ({number(low, digits=3)} to {number(high, digits=3) if high is not None else 'never'})" if low is not None else ""
    )
    return f"hosting starts to pay at {number(host.break_even_per_day, digits=3)} requests a day{bound}"


def _interval(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f" ({usd(low)} to {'no bound' if high is None else usd(high)})"


def _calls(decision: HostOrCallDecision, console: Console) -> None:
    own, other = decision.calls[:MOST_CALLS], decision.alternatives
    listed = [*own, *other]
    if not listed:
        return
    correct = any(call.usd_per_correct is not None for call in listed)
    headings = ["call", "$/month", "$/Mtok", "seen", "sources", *(["$/correct"] if correct else [])]
    rows = [[*_call(call, decision.question.model), *([usd(call.usd_per_correct)] if correct else [])] for call in listed]
    show_rows(headings, rows, console=console, right=set(headings[1:]) - {"seen"})
    if len(decision.calls) > MOST_CALLS:
        say(f"{len(decision.calls) - MOST_CALLS} more sellers: --json has them", console=console)
    for remark, sellers in _remarks(listed, decision.question.model).items():
        say(escape(f"{remark}: {', '.join(sellers)}"), console=console)
    for call in other:
        if call.score is not None:
            say(escape(f"{call.model}: {call.score:.4g} on {call.scale}, at least as capable there"), console=console)
    console.print()


def _call(call: Call, model: str) -> list[str]:
    agreement = "" if call.agreement == 1.0 else f", {100 * call.agreement:.0f} % agree"
    return [
        escape(_name(call, model)) + (" ?" if call.doubts else ""),
        usd(call.usd_per_month),
        usd(call.usd_per_mtok, digits=3),
        "-" if call.age_days is None else f"{call.age_days} days ago",
        "you" if call.sources == 0 else f"{call.sources}{agreement}",
    ]


def _name(call: Call, model: str) -> str:
    return call.seller if call.model == model else f"{call.model} at {call.seller}"


def _remarks(calls: list[Call], model: str) -> dict[str, list[str]]:
    """What there is to mind, and of whom."""
    found: dict[str, list[str]] = {}
    for call in calls:
        for remark in (*(f"? {doubt}" for doubt in call.doubts), *call.notes):
            found.setdefault(remark, []).append(_name(call, model))
    return found


def _hosts(decision: HostOrCallDecision, console: Console) -> None:
    able = [host for host in decision.hosts if host.usd_per_month is not None][:MOST_HOSTS]
    if able:
        correct = any(host.usd_per_correct is not None for host in able)
        headings = ["host", "$/month", "reserved", "busy", "used", "pays from", *(["$/correct"] if correct else [])]
        rows = [
            [
                escape(f"{host.gpus} {host.gpu} {host.engine} {host.precision}"),
                usd(host.usd_per_month),
                usd(host.usd_per_mtok_reserved, digits=3),
                usd(host.usd_per_mtok_busy, digits=3),
                f"{100 * (host.utilisation or 0):.0f} %",
                "never" if host.break_even_per_day is None else f"{number(host.break_even_per_day, digits=3)} a day",
                *([usd(host.usd_per_correct)] if correct else []),
            ]
            for host in able
        ]
        show_rows(headings, rows, console=console, right=set(headings[1:]))
        say(
            "reserved and busy: $ per Mtok with idle hours paid, and while full; only the first compares with $/Mtok of a call",
            console=console,
        )
    for host in decision.hosts:
        if host.reason is not None:
            say(escape(f"{host.gpu}: {host.reason}"), console=console)
    console.print()
