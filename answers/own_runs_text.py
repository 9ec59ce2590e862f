"""The user's own runs as text that reads at 80 columns."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from answers.text import number, say

NOT = (("price", "unpriced"), ("calibration", "not_calibration"), ("validation", "not_validation"))
COUNTED = (("is_priced", "priced"), ("calibrates", "used for calibration"), ("validates", "for validation"))
USES = (("is_priced", "priced"), ("calibrates", "calibration"), ("validates", "validation"))


def show_runs(runs: Sequence[dict[str, Any]], traces: Sequence[dict[str, Any]], *, console: Console) -> None:
    """Print one block of lines per run and trace, and what is used of them together."""

    for run in runs:
        say(f"[bold]{run['run_id']}[/bold] {escape(run['file_name'])}", console=console)
        say(f"{escape(system_of(run))}", console=console, indent=2)
        rate = f"{number(run['output_tokens_per_s_per_gpu'])} output tok/s per GPU"
        say(f"{load_of(run)}: {rate}, {latencies_of(run)}", console=console, indent=2)
        used = [name for column, name in USES if run[column]]
        missing = [f"not in {' and '.join(names)}: {reason}" for reason, names in reasons_of(run).items()]
        say(f"used: {'; '.join([', '.join(used) or 'nowhere', *missing])}", console=console, indent=2)
    for trace in traces:
        say(f"[bold]{trace['trace_id']}[/bold] {escape(trace['file_name'])}", console=console)
        say(f"{trace['n_requests']:,} requests of {trace['source']}{sessions_of(trace)}", console=console, indent=2)
    say(summary(runs) if runs else "no run of your own yet: `iecon ingest FILE` takes one in", console=console)


def reasons_of(run: dict[str, Any]) -> dict[str, list[str]]:
    """Why a run is not used, with what it is not used for."""
    found: dict[str, list[str]] = {}
    for name, why in NOT:
        if run[f"why_{why}"]:
            found.setdefault(run[f"why_{why}"], []).append(name)
    return found


def summary(runs: Sequence[dict[str, Any]]) -> str:
    """One line: how many runs, what they are used for, and why the others are not."""
    counts = [f"{sum(bool(run[column]) for run in runs)} {word}" for column, word in COUNTED]
    reasons = Counter((reason, " and ".join(names)) for run in runs for reason, names in reasons_of(run).items())
    told = [f"{count} not in {names}: {reason}" for (reason, names), count in reasons.most_common()]
    return "; ".join([f"{len(runs)} run{'s' * (len(runs) != 1)}: {', '.join(counts)}", *told])


def show_run(found: dict[str, Any], *, console: Console) -> None:
    """Print every column of a run that is known, with the keys it was read from."""
    origins: dict[str, list[str]] = {}
    for record in found["records"]:
        for column, keys in record["read_from"].items():
            origins.setdefault(column, []).extend(key for key in keys if key not in origins.get(column, []))
    for column, value in found["run"].items():
        keys = ", ".join(origins.get(column, [])[:6])
        told = f"{value:.6g}" if isinstance(value, float) else str(value)
        say(f"{column}: {escape(told)}" + (f"  [dim]{escape(keys)}[/dim]" if keys else ""), console=console)
    for record in found["records"]:
        say(f"[dim]from {escape(record['file_name'])}, {escape(record['place'])}[/dim]", console=console)


def system_of(run: dict[str, Any]) -> str:
    """What ran where, in a line."""
    gpus = f"{run['gpus_total'] or '?'} x {run['gpu_canonical'] or 'GPU not known'}"
    return ", ".join(
        str(part)
        for part in (run["model"] or "model not known", run["engine"] or "engine not known", gpus, run["precision"])
        if part
    )


def load_of(run: dict[str, Any]) -> str:
    """Lengths and load, in a line."""
    lengths = f"{number(run['input_tokens'])} in, {number(run['output_tokens'])} out"
    if run["concurrency"]:
        return f"{lengths}, {number(run['concurrency'])} in flight"
    return f"{lengths}, {number(run['request_rate_per_s'])} requests/s" if run["request_rate_per_s"] else lengths


def latencies_of(run: dict[str, Any]) -> str:
    """Median TTFT and TPOT, else means, and the share that failed where any did."""
    failed = f", {run['failed_share']:.1%} failed" if run["failed_share"] else ""
    return f"TTFT {number(run['ttft_s'], digits=3)} s, TPOT {number(run['tpot_s'], digits=3)} s{failed}"


def sessions_of(trace: dict[str, Any]) -> str:
    """Sessions and prefix hits of a trace, where it tells of them."""
    sessions = f", {trace['n_sessions']:,} sessions" if trace["n_sessions"] else ""
    hits = f", {trace['prefix_hit_rate']:.0%} of prompt tokens seen before" if trace["prefix_hit_rate"] is not None else ""
    return sessions + hits
