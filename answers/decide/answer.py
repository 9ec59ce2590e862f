"""A practitioner's question: the cheapest way to serve a model within a contract, by the fitted step times of real engines."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from answers.decide.asked import QuestionError, refuse_absurd
from answers.decide.behind import evidence
from answers.decide.known import Facts, Known, known_for, lacks_format
from answers.decide.record import Decision, Refused, ServingQuestion, Unmet
from answers.decide.sizing import Field, candidates, copies_of, field_of
from answers.decide.turning import flips_of
from answers.decide.weighing import designs_of, parallelism
from assets.serving.engine_curves import BOUNDS
from warehouse.folder import data_root

NO_RENT = "no rent is known{term}: give --price {gpu}=USD"


def decide(question: ServingQuestion, *, warehouse: Path | None = None) -> Decision:
    """The cheapest design for a question, from the latest published warehouse.

    Raises QuestionError for a question that is absurd or names an unknown GPU or model, FileNotFoundError before the first
    refresh. A contract that cannot be met is no error: `answer` is None and `unmet` says what can.
    """
    file = warehouse or data_root() / "releases" / "latest.duckdb"
    if not file.exists():
        raise FileNotFoundError(f"no warehouse at {file} yet: run `iecon refresh` first")
    refuse_absurd(question)
    q, known = known_for(question, file)
    return answer(q, known, file)


def answer(q: ServingQuestion, known: Known, warehouse: Path) -> Decision:
    """The answer of a question in known names."""
    rows, refused = _rows(q, known)
    if not rows:
        if len(refused) == 1:
            raise QuestionError(refused[0].why)
        return Decision(
            question=q,
            answer=None,
            designs=(),
            unmet=(),
            refused=refused,
            flips=(),
            evidence=evidence(None, q, known, warehouse),
        )
    field = field_of(rows, q, known)
    refused = (*refused, *_too_small(field, q, known, refused))
    designs = designs_of(field, q, known)
    if not designs:
        fits = [each for each in field.curves.fits if each]
        if not fits and len(known.rents) <= 1:
            raise QuestionError(refused[-1].why)
        return Decision(
            question=q,
            answer=None,
            designs=(),
            unmet=_unmet(field, q),
            refused=refused,
            flips=(),
            evidence=evidence(None, q, known, warehouse),
        )
    flips = flips_of(designs, q, known)
    return Decision(
        question=q,
        answer=designs[0].architecture,
        designs=designs,
        unmet=(),
        refused=refused,
        flips=flips,
        evidence=evidence(designs[0], q, known, warehouse),
    )


def _rows(q: ServingQuestion, known: Known) -> tuple[list[Facts], tuple[Refused, ...]]:
    """Systems of every accelerator asked for, and why others have none."""
    models = known.evidence.fit.models.filter(pl.col("model") == q.model)
    if not models.height:
        raise QuestionError(f"counts of the weights of {q.model} by group are not known: its shape cannot be timed")
    asked: list[str] = []
    refused: list[Refused] = []
    for gpu in q.gpus_named:
        lacking = lacks_format(known.gpus[gpu], str(q.precision))
        if lacking:
            refused.append(Refused(gpu=gpu, why=lacking))
        elif gpu not in known.rents or (q.prefill_gpu and q.prefill_gpu not in known.rents):
            term = f" by the term {q.rent_term}" if q.rent_term else ""
            named = gpu if gpu not in known.rents else str(q.prefill_gpu)
            refused.append(Refused(gpu=gpu, why=f"{named}: {NO_RENT.format(term=term, gpu=named)}"))
        else:
            asked.append(gpu)
    rows = candidates(q, known, asked)
    left = {row["gpu"] for row in rows}
    refused += [
        Refused(gpu=gpu, why=f"{gpu}: no split of {q.model} is left by what is fixed") for gpu in asked if gpu not in left
    ]
    return rows, tuple(refused)


def _too_small(field: Field, q: ServingQuestion, known: Known, refused: Sequence[Refused]) -> list[Refused]:
    """Accelerators none of whose systems holds the weights and one sequence."""
    named = {each.gpu for each in refused}
    fits = field.systems.select("gpu", fits=pl.Series(field.curves.fits)).group_by("gpu").agg(pl.col("fits").any())
    found = []
    for gpu, any_fits in fits.sort("gpu").iter_rows():
        if not any_fits and gpu not in named:
            memory = known.gpus[gpu]["hbm_bytes"] / 1e9
            most = q.gpus or int(field.systems.filter(pl.col("gpu") == gpu)["gpus"].max() or 0)  # type: ignore[arg-type]
            found.append(
                Refused(
                    gpu=gpu,
                    why=f"{gpu}: {q.model} in {q.precision} and one sequence do not fit on {most} of {memory:.0f} GB each",
                )
            )
    return found


def _unmet(field: Field, q: ServingQuestion) -> tuple[Unmet, ...]:
    """Per accelerator and design the nearest contract that can be met, nearest first."""
    copies = copies_of(field)
    found: dict[tuple[str, bool], tuple[float, Unmet]] = {}
    asked = {name: seconds for name, (_, seconds) in q.bounds().items()}
    for place in range(len(field)):
        if not field.curves.fits[place]:
            continue
        system = field.systems.row(place, named=True)
        key = system["gpu"], bool(system["disaggregated"])
        if np.isfinite(copies[place]):  # the bounds hold, the budget does not
            needed = copies[place] * field.curves.gpus[place]
            over = needed / float(q.gpus or needed)
            one = _unmet_of(system, "gpus", float(q.gpus or 0), float(needed), float(copies[place] * field.usd_per_hour[place]))
        else:
            usable = np.isfinite(field.curves.requests_per_s[place])
            least = {
                name: float(np.nanmin(np.where(usable, field.curves.bounded(name)[place], np.nan)) if usable.any() else np.inf)
                + (field.transfer_s[place] if name != "tpot" else 0.0)
                for name in BOUNDS
            }
            worst = max(asked, key=lambda name: least[name] / asked[name])
            over = least[worst] / asked[worst] * 1e3  # any broken bound is further than a budget
            one = _unmet_of(system, worst, asked[worst], least[worst], None)
        if key not in found or over < found[key][0]:
            found[key] = over, one
    return tuple(one for _, one in sorted(found.values(), key=lambda each: each[0]))


def _unmet_of(system: Facts, bound: str, asked: float, least: float, usd: float | None) -> Unmet:
    return Unmet(
        gpu=system["gpu"],
        architecture="disaggregated" if system["disaggregated"] else "colocated",
        parallelism=parallelism(system),
        bound=bound,
        asked=asked,
        least=least,
        usd_per_hour=usd,
    )
