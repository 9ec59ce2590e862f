"""Every format of evaluation logs: read from logs made here, and from the samples beside the checkout if there are any."""

import csv
import json
import random
from pathlib import Path

import pytest

from answers.correct import Correct, correct
from sources.test_time.evaluation_logs import FORMATS, document, read_logs
from sources.test_time.evaluation_logs.document import Document
from tests.test_time.evaluation_log_files import SAMPLES, Sample, inspect_json, plain_table, swe_bench

SAMPLES_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "evaluation_logs"


def found(answer: Correct, name: str) -> object:
    """A figure by the names of the table of samples."""
    if name == "refused":
        return len(answer.refused)
    part, _, field = name.rpartition(".")
    if part == "total":
        (run,) = answer.runs
        return run.spend["subject"].usd if field == "usd" else getattr(run, field)
    (log,) = answer.logs
    if not part:
        return getattr(log, field)
    return getattr(log.spend[part], "records_without_usd" if field == "unknown" else field)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.write.__name__)
def test_a_log_is_told_by_its_content_and_read(sample: Sample, tmp_path: Path) -> None:
    answer = correct([sample.write(tmp_path)])
    assert not answer.unread
    assert {log.format for log in answer.logs} == {sample.format}
    assert {name: found(answer, name) for name in sample.expected} == pytest.approx(sample.expected)


def test_every_format_has_a_log_of_its_own_here() -> None:
    assert {sample.format for sample in SAMPLES} == {each.NAME for each in FORMATS}


def rows_beside() -> list[dict[str, str]]:
    table = SAMPLES_BESIDE / "expected.csv"
    return list(csv.DictReader(table.open())) if table.exists() else []


@pytest.mark.published
@pytest.mark.skipif(not rows_beside(), reason="no samples of evaluation logs lie beside this checkout")
def test_every_row_of_the_samples_comes_out() -> None:
    """The table counts all roles for logs of requests and the judge alone for DeepEval, so one of the roles must agree."""
    names = {
        "input_tokens": "input_tokens",
        "output_tokens": "output_tokens",
        "reasoning_tokens": "reasoning_tokens",
        "cache_read": "cache_read_tokens",
        "cache_write": "cache_write_tokens",
        "dollars": "usd_stated",
    }
    wrong = []
    for row in rows_beside():
        files = [path for path in SAMPLES_BESIDE.glob(row["file"].removesuffix("/**")) if path.name != "practice"]
        answer = correct(files)
        assert not answer.unread, row["file"]
        runs = [run for run in answer.runs if row["model"] in ("", "both", run.model)]
        totals = [run for run in runs if run.kind == "total"]
        for key, name in (("n_items", "items"), ("n_attempts", "attempts"), ("n_correct", "correct"), ("n_errors", "errors")):
            if row[key]:
                values = (
                    [getattr(run, name) for run in runs]
                    if row["model"] not in ("", "both") or totals
                    else [getattr(log, name) for log in answer.logs]
                )
                if sum(value or 0 for value in values) != pytest.approx(float(row[key])) and values != [None]:
                    wrong.append((row["file"], key, values))
        for key, name in names.items():
            if row[key]:
                spends = [run.spend for run in runs]
                roles = [
                    sum(getattr(spend[role], name) or 0 for spend in spends if role in spend)
                    for role in ("subject", "judge", "simulator")
                ]
                if not any(value == pytest.approx(float(row[key])) for value in (*roles, sum(roles))):
                    wrong.append((row["file"], key, roles))
    assert wrong == []


def nested(depth: int, rng: random.Random) -> object:
    if depth > 5 or rng.random() < 0.3:
        return rng.choice([1, None, True, -2.5, "", 'a"\\,{}[]:\n', "\\", "x" * 40])
    if rng.random() < 0.5:
        return [nested(depth + 1, rng) for _ in range(rng.randint(0, 4))]
    return {f"{rng.choice(['a', chr(92), 'c:,', '{'])}{at}": nested(depth + 1, rng) for at in range(rng.randint(0, 4))}


@pytest.mark.parametrize("piece", [7, 64, 4 << 20])
def test_elements_are_found_wherever_the_pieces_of_a_file_end(
    piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "PIECE", piece)
    rng = random.Random(5)
    for at in range(60):
        value = {"key": nested(0, rng), "list": [nested(0, rng) for _ in range(3)]}
        path = tmp_path / f"{at}.json"
        path.write_text(json.dumps(value, indent=rng.choice([None, 1])))
        read = Document(path)
        assert read.top == ["key", "list"]
        assert read.value("key") == value["key"]
        assert list(read.elements("list")) == value["list"]


def test_json_that_ends_too_soon_is_refused_by_name(tmp_path: Path) -> None:
    path = inspect_json(tmp_path)
    path.write_text(path.read_text()[:-40])
    answer = correct([path])
    assert answer.unread == (f"{path}: not complete JSON: it ends too soon",)


def test_a_row_that_cannot_be_believed_is_told_with_row_column_and_rule(tmp_path: Path) -> None:
    answer = correct([plain_table(tmp_path)])
    assert answer.refused == (
        "attempts.csv, row 5, column correct: must be 0, 1, true, false or a share, not 'perhaps'",
        "attempts.csv, row 6, column input_tokens: must be a number, 0 or above, not '-4'",
    )


def test_a_table_without_its_columns_is_told_what_may_be_meant(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("items,model,corect\na,one,1\n")
    (told,) = correct([path]).unread
    assert told.endswith("(did you mean items by item?; did you mean corect by correct?)")


def test_the_same_file_twice_counts_once(tmp_path: Path) -> None:
    path = swe_bench(tmp_path)
    copy = tmp_path / "copy.json"
    copy.write_bytes(path.read_bytes())
    assert correct([path, copy]).runs == correct([path]).runs


def test_other_files_of_a_folder_are_counted_and_left_out(tmp_path: Path) -> None:
    swe_bench(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing")
    read = read_logs([tmp_path])
    assert (len(read.logs), read.skipped, read.unread) == (1, 1, ())
