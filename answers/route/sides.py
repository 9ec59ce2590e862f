"""Which model is which in a table, and its outcomes as the closed forms take them."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from answers.route.files import BadUsageError
from answers.route.record import Asked
from answers.route.table import Table
from economics.routing.policies import Handover, Outcomes, previous_kept, units_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    """Columns of the reference models."""

    strong: int
    weak: int
    others: tuple[int, ...]
    """Cheaper models that thresholds may send easy items to; the weak one among them."""


def sides_of(table: Table, asked: Asked) -> Sides:
    """Which model is which: as named; of two models the dearer one is the strong one, of more the best one."""
    names = list(table.models)
    for option, name in (("--strong", asked.strong), ("--weak", asked.weak)):
        if name is not None and name not in names:
            raise BadUsageError(f"{option} {name}: the table has {', '.join(names)}")
    if asked.strong is not None and asked.strong == asked.weak:
        raise BadUsageError("--strong and --weak must name two models")
    if len(names) < 2:
        raise BadUsageError(f"the table has one model, {names[0]}: routing chooses between two or more")
    cost, quality = table.cost.mean(axis=0), table.quality.mean(axis=0)
    free = [at for at in range(len(names)) if names[at] != asked.weak]
    if asked.strong is not None:
        strong = names.index(asked.strong)
    elif len(names) == 2:
        strong = max(free, key=lambda at: (cost[at], quality[at]))
    else:
        strong = max(free, key=lambda at: (quality[at], -cost[at]))
    rest = [at for at in range(len(names)) if at != strong]
    weak = names.index(asked.weak) if asked.weak is not None else min(rest, key=lambda at: cost[at])
    cheaper = tuple(at for at in rest if cost[at] < cost[strong])
    return Sides(strong=strong, weak=weak, others=(weak,) if asked.weak is not None or not cheaper else cheaper)


@dataclass(frozen=True, kw_only=True, eq=False)
class Items:
    """The items that a router may be judged on."""

    models: tuple[str, ...]
    sides: Sides
    outcomes: Outcomes
    unit: NDArray[np.int64]
    """(items) what is resampled together."""
    handover: Handover
    facts: pl.DataFrame
    """(items) item, and category where the table has it."""
    latency_s: NDArray[np.float64] | None
    previous: NDArray[np.int64] | None
    """(items) the item before it in its conversation, -1 for the first; None where the table has no groups."""


def items_of(
    table: Table,
    sides: Sides,
    group: NDArray[np.int64],
    *,
    keep: NDArray[np.bool_],
    handover: Handover,
    rng: np.random.Generator,
) -> Items:
    """The kept items of a table. Where some are left out a switch is counted within what is left only."""
    outcomes, previous = outcomes_of(table, group), previous_of(table)
    if not keep.all():
        previous = None if previous is None else previous_kept(previous, keep)
        outcomes, handover = outcomes.kept(keep), handover.kept(keep)
        outcomes = replace(outcomes, group=np.unique(outcomes.group, return_inverse=True)[1].astype(np.int64))
    return Items(
        models=table.models,
        sides=sides,
        outcomes=outcomes,
        unit=units_of(outcomes.group, rng=rng),
        handover=handover,
        facts=table.items.filter(pl.Series(keep)).select("item", *(["category"] if "category" in table.items.columns else [])),
        latency_s=None if table.latency_s is None else table.latency_s[keep],
        previous=previous,
    )


def outcomes_of(table: Table, group: NDArray[np.int64]) -> Outcomes:
    """Outcomes of the table's items in their groups; an item without a controller cost has none."""
    controller = column_of(table, "controller_cost_usd")
    return Outcomes(
        quality=table.quality,
        cost=table.cost,
        controller_cost=np.zeros(len(table.quality)) if controller is None else np.nan_to_num(controller),
        group=group,
    )


def previous_of(table: Table) -> NDArray[np.int64] | None:
    """The item before each one in its conversation: by turn, else in the order of the file; None without groups."""
    if "group" not in table.items.columns:
        return None
    group = table.items["group"].rank("dense").to_numpy()
    turn = table.items["turn"].to_numpy() if "turn" in table.items.columns else np.arange(len(group))
    order = np.lexsort((turn, group))
    previous = np.full(len(group), -1, dtype=np.int64)
    same = group[order[1:]] == group[order[:-1]]
    previous[order[1:][same]] = order[:-1][same]
    return previous


def column_of(table: Table, name: str) -> NDArray[np.float64] | None:
    """A number per item, where the table has it."""
    return table.items[name].to_numpy().astype(np.float64) if name in table.items.columns else None
