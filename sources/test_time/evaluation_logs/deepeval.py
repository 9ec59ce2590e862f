"""DeepEval test runs. Costs and tokens in the file are the judge's; the subject's cost is what the user put beside a case."""

from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import JUDGE, Reading, Record, answer_key, dollars, whole

NAME = "deepeval"


def recognises(document: Document) -> bool:
    """Test cases with their metrics."""
    return "testCases" in document.top and ("testPassed" in document.top or "metricsScores" in document.top)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per case and one of its judge."""
    reading.usd_covers = "the judge (evaluationCost); the subject's is tokenCost, where the user gave it"
    for document in documents:
        for at, case in enumerate(document.elements("testCases")):
            metrics = case.get("metricsData") or []
            errors = [metric["error"] for metric in metrics if metric.get("error")]
            scores = [metric["score"] for metric in metrics if isinstance(metric.get("score"), (int, float))]
            common: dict[str, Any] = {
                "benchmark": str(document.value("testFile") or document.path.parent.name),
                "model": str((document.value("hyperparameters") or {}).get("model") or "not stated"),
                "item": str(case.get("name") or case.get("order", at)),
            }
            usd = dollars(case.get("tokenCost"))
            success = case.get("success")
            yield Record(
                **common,
                correct=None if success is None else float(bool(success)),
                score=min(scores, default=None),
                error=str(errors[0])[:200] if errors else None,
                usd=usd,
                usd_unknown=usd == 0.0,
                answer=answer_key(case.get("actualOutput")),
            )
            yield from _judges(metrics, common)


def _judges(metrics: Sequence[dict[str, Any]], common: dict[str, Any]) -> Iterator[Record]:
    for metric in metrics:
        cost, input_ = dollars(metric.get("evaluationCost")), whole(metric.get("inputTokenCount"))
        if metric.get("evaluationModel") is None and cost is None and input_ is None:
            continue
        yield Record(
            **common,
            role=JUDGE,
            made=False,
            billed_model=metric.get("evaluationModel"),
            input_tokens=input_,
            output_tokens=whole(metric.get("outputTokenCount")),
            usd=cost,
            usd_unknown=cost == 0.0 and not metric.get("error"),
        )
