"""LightEval details: one Parquet row per document, graded once, with all its samples. Tokens are the lengths of its lists."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow.parquet as pq

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import Reading, Record, answer_key, day

NAME = "lighteval"
ROWS = 1_000
COLUMNS = {"doc", "metric", "model_response"}


def recognises(document: Document) -> bool:
    """Parquet with the columns of LightEval."""
    return document.head[:4] == b"PAR1" and set(pq.ParquetFile(document.bytes_at).schema_arrow.names) >= COLUMNS


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per sample; the document's grade stands at its first."""
    for document in documents:
        folders = document.path.parts
        ran = day(document.path.parent.name[:10])
        at = folders.index("details") if "details" in folders else None
        model = "/".join(folders[at + 1 : -2]) if at is not None and folders[at + 1 : -2] else "not stated"
        file = pq.ParquetFile(document.bytes_at)
        for batch in file.iter_batches(batch_size=ROWS, columns=sorted(COLUMNS)):
            for row in batch.to_pylist():
                yield from _document(row, model, ran, reading)


def _document(row: dict[str, Any], model: str, ran: Any, reading: Reading) -> Iterator[Record]:
    doc, metric, response = row["doc"], row["metric"] or {}, row["model_response"] or {}
    single = {name: value for name, value in metric.items() if "@" not in name and isinstance(value, (int, float))}
    names = single or {name: value for name, value in metric.items() if isinstance(value, (int, float))}
    if len(names) > 1:
        reading.note(f"metrics {', '.join(names)}: {next(iter(names))}, the first, decides")
    score = float(next(iter(names.values()))) if names else None
    texts, outputs = response.get("text") or [], response.get("output_tokens") or []
    answers = response.get("text_post_processed") or []
    count = max(len(texts), int(doc.get("num_samples") or 1))
    for sample in range(count):
        first = sample == 0
        tokens = outputs[sample] if sample < len(outputs) and isinstance(outputs[sample], list) else None
        input_tokens = response.get("input_tokens") or []
        yield Record(
            benchmark=str(doc.get("task_name") or "not stated"),
            model=model,
            item=str(doc.get("id")),
            sample=sample,
            run_on=ran,
            correct=float(score == 1.0) if first and score is not None else None,
            score=score if first else None,
            answer=answer_key(answers[sample]) if sample < len(answers) else None,
            input_tokens=len(input_tokens) if first and input_tokens else (0 if input_tokens else None),
            output_tokens=len(tokens) if tokens else None,
        )
