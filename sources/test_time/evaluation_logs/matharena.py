"""MathArena outputs: one file per problem with its runs, their grades and their costs."""

from collections.abc import Iterator, Sequence

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import Reading, Record, answer_key, dollars, whole

NAME = "matharena"


def recognises(document: Document) -> bool:
    """A problem with its number of runs, answers and grades."""
    return {"idx", "N", "answers", "correct"} <= set(document.top)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per run of a problem."""
    reading.usd_covers = "the subject; failed tries and judges are nowhere, runs that broke are dropped"
    for document in documents:
        grades, answers = document.value("correct") or [], document.value("answers") or []
        costs = document.value("detailed_costs") or []
        total = document.value("cost") or {}
        if not costs:
            reading.note("files without costs per run: the problem's cost stands at its first run")
        model = document.path.parent.name.replace("--", "/")
        parts = document.path.parent.parts
        benchmark = parts[parts.index("outputs") + 1] if "outputs" in parts[:-1] else document.path.parent.parent.name
        for sample in range(max(len(grades), len(answers))):
            cost = costs[sample] if sample < len(costs) else (total if sample == 0 and not costs else {})
            grade = grades[sample] if sample < len(grades) else None
            usd, output = dollars(cost.get("cost")), whole(cost.get("output_tokens"))
            failed = not output and bool(cost) and not (answers[sample] if sample < len(answers) else None)
            yield Record(
                benchmark=benchmark,
                model=model,
                item=str(document.value("idx")),
                sample=sample,
                correct=float(grade) if isinstance(grade, (bool, int, float)) else None,
                score=float(grade) if isinstance(grade, (bool, int, float)) else None,
                error="no answer came" if failed else None,
                answer=answer_key(answers[sample]) if sample < len(answers) else None,
                input_tokens=whole(cost.get("input_tokens")),
                output_tokens=output,
                cache_read_tokens=whole(cost.get("cached_input_tokens")),
                cache_write_tokens=whole(cost.get("cached_write_tokens")) or None,
                input_includes_cached=True,
                output_includes_reasoning=True,
                usd=usd,
                usd_unknown=usd == 0.0 and bool(output),
            )
            if cost.get("n_retries"):
                reading.note("tries that failed are counted (n_retries) and not priced")
