"""How answers are written."""

import io
import json
from dataclasses import dataclass
from datetime import date

import pytest

from answers.text import number, share, usd, write_json


@pytest.mark.parametrize(
    ("value", "said"),
    [(2.5441, "$2.544"), (0.000123456, "$0.0001235"), (12480.4, "$12,480"), (91.6, "$91.6"), (-0.31, "-$0.31"), (None, "-")],
)
def test_dollars(value: float | None, said: str) -> None:
    assert usd(value) == said


def test_numbers_and_shares() -> None:
    assert [number(value) for value in (0.02184, 9600, 12.3456, None, True)] == ["0.02184", "9,600", "12.35", "-", "-"]
    assert share(8 / 15, 0.36, 0.7) == "53.3 % (36 to 70)"
    assert share(None) == "-"


def test_json_has_null_for_what_is_not_known_and_no_nan() -> None:
    @dataclass
    class Record:
        day: date
        usd: float | None
        inner: list["Record"]

    text = io.StringIO()
    write_json(Record(date(2026, 1, 2), None, [Record(date(2026, 1, 3), 1.5, [])]), text)
    assert json.loads(text.getvalue()) == {
        "day": "2026-01-02",
        "usd": None,
        "inner": [{"day": "2026-01-03", "usd": 1.5, "inner": []}],
    }
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json({"usd": float("nan")}, io.StringIO())
