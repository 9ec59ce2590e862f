"""Which column of a user's table is what: by its name, by what the user says, and by the shape of the table."""

import difflib
import re
from collections.abc import Callable

from answers.route.files import ROW, BadUsageError, NotATableError

FIELDS: dict[str, tuple[str, ...]] = {
    "item": (
        "item",
        "item_id",
        "question_id",
        "sample_id",
        "canonical_id",
        "global_index",
        "instance_id",
        "example_id",
        "query_id",
        "prompt_id",
        "task_id",
        "doc_id",
        "embedding_id",
        "id",
        "uid",
    ),
    "model": ("model", "model_name", "model_id", "selected_model", "llm", "llm_selected"),
    "correct": ("correct", "is_correct", "quality", "performance", "accuracy", "resolved", "passed", "success", "reward"),
    "cost_usd": ("cost_usd", "cost", "total_cost", "usd", "total_cost_usd", "inference_cost", "cost_total"),
    "input_tokens": ("input_tokens", "prompt_tokens", "tokens_in"),
    "output_tokens": ("output_tokens", "completion_tokens", "tokens_out"),
    "controller_cost_usd": ("controller_cost_usd", "router_cost_usd", "router_cost", "routing_cost"),
    "seen_by_router": ("seen_by_router",),
    "group": ("group", "conversation", "conversation_id", "session_id", "source_id", "cluster"),
    "turn": ("turn", "turn_index"),
    "category": ("category", "eval_name", "task_family", "task_name", "dataset", "subject", "domain", "subset", "benchmark"),
    "strategy": ("strategy", "router", "policy"),
    "answer": ("answer", "extracted_answer", "prediction"),
    "prompt": ("prompt", "question", "query", "origin_query"),
    "prompt_chars": ("prompt_chars",),
    "response": ("response", "generated_answer", "model_response"),
    "response_chars": ("response_chars",),
    "latency_s": ("latency_s", "seconds", "response_time"),
    "latency_ms": ("latency_ms",),
}
"""What a column can be, and the names it goes by, the best first."""
SCORES = ("score", "routing_score", "router_score", "strong_win_rate", "win_rate")
PER_MODEL: dict[str, tuple[str, ...]] = {
    "correct": ("{}|correct", "{}_correct", "correct_{}", "{}"),
    "cost_usd": ("{}|total_cost", "{}|cost", "{}_cost_usd", "{}_cost", "cost_usd_{}", "cost_{}"),
    "input_tokens": ("{}|input_tokens", "{}_input_tokens", "{}_prompt_tokens", "{}|prompt_tokens"),
    "output_tokens": ("{}|output_tokens", "{}_output_tokens", "{}_completion_tokens", "{}|completion_tokens"),
    "response": ("{}|model_response", "{}_response", "{}_answer"),
    "response_chars": ("{}|response_chars", "{}_response_chars"),
    "latency_s": ("{}|latency_s", "{}_latency_s"),
}
"""How a wide table names the columns of a model."""


def parsed_map(said: list[str]) -> dict[str, str]:
    """`item=id,correct=score` as a field to column table. Raises BadUsageError with the nearest name."""
    pairs = [part.strip() for one in said for part in one.split(",") if part.strip()]
    found = {}
    for pair in pairs:
        field, mark, column = pair.partition("=")
        field = field.strip()
        if not mark or not column.strip():
            raise BadUsageError(f"--map {pair}: must be FIELD=COLUMN")
        if field not in FIELDS and field not in SCORES:
            raise BadUsageError(f"--map {field}: {no_such(field, [*FIELDS, SCORES[0]])}")
        found[field] = column.strip()
    return found


def no_such(name: str, known: list[str]) -> str:
    """What to say of a name that is not there."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known[:20])}"


def named(columns: list[str], mapping: dict[str, str]) -> dict[str, str]:
    """Field to column of a table, as the user says and else by name."""
    for field, column in mapping.items():
        if column not in columns:
            raise BadUsageError(f"--map {field}={column}: {no_such(column, columns)}")
    by_name = {_plain(column): column for column in reversed(columns)}
    taken = set(mapping.values())
    found = {field: column for field, column in mapping.items() if field in FIELDS}
    for field, names in FIELDS.items():
        if field in found:
            continue
        known = next((by_name[name] for name in names if name in by_name and by_name[name] not in taken), None)
        if known is not None:
            found[field] = known
            taken.add(known)
    return found


def scores_of(columns: list[str], asked: list[str], mapping: dict[str, str], taken: set[str]) -> dict[str, str]:
    """Name to column of the scores: those asked for, else those that are called so."""
    if mapping.get("score"):
        return {"score": mapping["score"]}
    for column in asked:
        if column not in columns and column != "prompt_length":
            raise BadUsageError(f"--score {column}: {no_such(column, [c for c in columns if c != ROW])}")
    if asked:
        return {column: column for column in asked if column != "prompt_length"}
    free = [column for column in columns if column not in taken]
    return {column: column for column in free if _plain(column) in SCORES or _plain(column).startswith("score_")}


def models_of(columns: list[str], taken: set[str], holds_shares: Callable[[str], bool]) -> dict[str, dict[str, str]]:
    """Of a wide table: per model the column of each of its fields.

    `holds_shares` says of a column whether all its values lie from 0 to 1. Raises NotATableError where no model is found.
    """
    free = [column for column in columns if column not in taken and column != ROW]
    names = [str(match[1]) for column in columns if (match := re.fullmatch(r"(.+)\|(?:total_cost|cost)", column))]
    names = [name for name in names if name in columns]
    if not names:
        marked = [re.fullmatch(r"(?:(.+?)[|_]correct|correct_(.+))", column) for column in free]
        names = [str(match[1] or match[2]) for match in marked if match]
    if len(names) < 2:
        names = [column for column in free if not _has_owner(column, free) and holds_shares(column)]
    if len(names) < 2:
        raise NotATableError(
            "row 1: the table must have the columns item, model, correct and cost_usd, or a column for each of two models; "
            f"it has {', '.join(column for column in columns if column != ROW) or 'none'}"
        )
    found = {}
    for name in dict.fromkeys(names):
        of_model = {}
        for field, patterns in PER_MODEL.items():
            column = next((p.format(name) for p in patterns if p.format(name) in columns), None)
            column = column or _of_the_beginning(name, field, columns)
            if column is not None:
                of_model[field] = column
        found[name] = of_model
    return found


def _of_the_beginning(name: str, field: str, columns: list[str]) -> str | None:
    """The one column of a field that is named by the beginning of the model's name: gpt4_response_chars of gpt4_1106."""
    if not field.startswith("response"):
        return None
    near = [column for column in columns if (owner := column.removesuffix(f"_{field}")) != column and name.startswith(owner)]
    return near[0] if len(near) == 1 else None


def _has_owner(column: str, columns: list[str]) -> bool:
    """Whether a column belongs to another one that names a model, such as gpt-4_response."""
    patterns = [pattern for field, many in PER_MODEL.items() for pattern in many if field != "correct" or pattern != "{}"]
    return any(column == pattern.format(other) for other in columns if other != column for pattern in patterns)


def _plain(column: str) -> str:
    return re.sub(r"[\s.\-]+", "_", column.strip().lower())
