"""An allocation as a person reads it, and as JSON."""

from rich.console import Console
from rich.markup import escape

from answers.allocate.record import Allocation, Option
from answers.text import number, share, show_rows, usd
from answers.text import say as line

MOST_OPTIONS = 12
CHANNELS = {
    "train": "more training",
    "sample": "more samples per question",
    "buy": "another model",
}


def show_allocation(found: Allocation, *, console: Console) -> None:
    """The answer first, then every option with its evidence, the three conditions, and what would flip it."""

    def say(text: str = "") -> None:
        line(escape(text), console=console)

    rests = f"; rests on what is borrowed: {', '.join(found.borrowed)}" if found.borrowed else ""
    say(
        f"{found.base} on {found.benchmark}: {share(found.accuracy, found.accuracy_low, found.accuracy_high)} of {found.n} "
        f"questions; ${found.budget_usd:,.0f} to spend over {found.queries:,.0f} questions at ${found.usd_per_query:.3g} each"
        + rests
    )
    say(f"  cost of a question: {found.cost_basis}")
    if found.usd_per_mtok is not None and found.tokens_per_answer is not None:
        say(f"  price ${found.usd_per_mtok:.4g} per M output tokens ({found.price_basis})")
        say(f"  {found.tokens_per_answer:,.0f} tokens per answer ({found.tokens_basis})")
    say()
    if found.answer is None:
        say("Nothing that is measured here adds a correct answer that is worth its cost.")
    else:
        best = found.options[0]
        why = "rests on what is borrowed" if found.borrowed else "intervals overlap"
        sure = "beyond the intervals of all others" if found.certain else f"not certain: {why}"
        worth = "" if best.net_usd is None else f", worth {usd(best.net_usd)} more than it costs"
        say(f"The next dollar goes to {CHANNELS[found.answer]}: {best.what} ({sure}){worth}.")
    say()
    _show_options(found.options[:MOST_OPTIONS], console=console)
    if len(found.options) > MOST_OPTIONS:
        say(f"and {len(found.options) - MOST_OPTIONS} more (--json)")
    say()
    say("Evidence:")
    for option in found.options[:MOST_OPTIONS]:
        say(f"  {option.channel}, {option.what}: {option.evidence}")
    if found.verdicts:
        v = found.verdicts
        say()
        say(
            f"By the conditions (eta_N {number(v['eta_samples'])}, eta_T {number(v['eta_training'])}, D_I/D_T "
            f"{number(v['dollar_ratio'])}): published {v['published']}, Lagrangian {v['lagrangian']}, shared cost "
            f"{v['shared_cost']}; the Lagrangian turns at a ratio of {number(v['lagrangian_flipping_dollar_ratio'])}"
        )
    say()
    say("What would flip it:")
    for flip in found.flips or ("nothing on these axes",):
        say(f"  {flip}")
    for note in found.notes:
        say(f"Note: {note}")


def _show_options(options: tuple[Option, ...], *, console: Console) -> None:
    figures = ("spend", "correct", "more correct", "$/more correct", "$/correct", "n")
    rows = [
        (
            option.channel,
            escape(option.what),
            usd(option.spend_usd),
            share(option.accuracy, option.accuracy_low, option.accuracy_high),
            f"{option.extra_correct:,.0f}",
            usd(option.usd_per_extra_correct),
            usd(option.usd_per_correct),
            str(option.n),
        )
        for option in options
    ]
    show_rows(("option", "what", *figures), rows, console=console, right=figures)
