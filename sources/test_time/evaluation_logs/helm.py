"""HELM: statistics per instance, with the run's specification beside them. Tokens are recounted; there are no dollars."""

from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document, decode
from sources.test_time.evaluation_logs.record import COPY, SUBJECT, Reading, Record, whole

NAME = "helm"
METRICS = (
    "exact_match",
    "final_number_exact_match",
    "math_equiv_chain_of_thought",
    "math_equiv",
    "ifeval_strict_accuracy",
    "chain_of_thought_correctness",
    "quasi_exact_match",
    "prefix_exact_match",
    "quasi_prefix_exact_match",
)
"""Those that decide where an instance has several, the first first."""


def recognises(document: Document) -> bool:
    """A list of instances with their statistics."""
    if not document.is_json or document.is_lines or document.top:
        return False
    first = document.first()
    return isinstance(first, dict) and {"instance_id", "stats", "train_trial_index"} <= set(first)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per instance and trial; perturbed copies of an instance are no attempts of their own."""
    for document in documents:
        model, scenario = _spec(document)
        perturbed = 0
        for row in document.elements():
            is_copy = bool(row.get("perturbation"))
            perturbed += is_copy
            stats = {
                str(stat["name"]["name"]): stat for stat in row["stats"] if bool(stat["name"].get("perturbation")) == is_copy
            }
            chosen = next((name for name in METRICS if name in stats), None)
            score = None if chosen is None else float(stats[chosen].get("mean", stats[chosen].get("sum", 0.0)))
            yield Record(
                benchmark=scenario,
                model=model,
                item=str(row["instance_id"]),
                sample=int(row["train_trial_index"]),
                role=COPY if is_copy else SUBJECT,
                correct=None if score is None else float(score == 1.0),
                score=score,
                input_tokens=_sum(stats, "num_prompt_tokens"),
                cache_read_tokens=None,
                output_tokens=_sum(stats, "num_completion_tokens") or _sum(stats, "num_output_tokens"),
            )
        if perturbed:
            reading.note(f"{document.path.name}: {perturbed} perturbed copies are asked and not counted as items")
        reading.note("tokens are recounted by HELM's tokenizer from the text alone: no hidden reasoning, no cache")


def _spec(document: Document) -> tuple[str, str]:
    """Model and scenario from run_spec.json beside the file, else from the folder's name."""
    beside = document.path.with_name("run_spec.json")
    if beside.exists():
        spec = decode(beside.read_bytes())
        adapter = spec.get("adapter_spec") or {}
        return str(adapter.get("model") or adapter.get("model_deployment") or "not stated"), str(
            spec.get("name", "not stated")
        ).split(":")[0]
    name = document.path.parent.name.replace("%3A", ":")
    scenario, _, rest = name.partition(":")
    model = next((part.removeprefix("model=") for part in rest.split(",") if part.startswith("model=")), "not stated")
    return model, scenario


def _sum(stats: dict[str, Any], name: str) -> int | None:
    return whole(stats[name].get("sum")) if name in stats else None
