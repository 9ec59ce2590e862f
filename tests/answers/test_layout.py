"""Answers read at 80 columns: lines go on between words, and rows that do not fit are stacked."""

import io

from answers.text import PlainConsole, say, show_rows


def console(width: int = 80) -> tuple[PlainConsole, io.StringIO]:
    text = io.StringIO()
    return PlainConsole(file=text, width=width), text


def test_a_line_goes_on_between_words_further_in() -> None:
    screen, text = console(width=30)
    say("[bold]one[/bold] two three four five six seven", console=screen, indent=2)
    assert text.getvalue() == "  one two three four five\n    six seven\n"


def test_a_word_that_is_longer_than_the_screen_stays_whole() -> None:
    screen, text = console(width=30)
    path = "/home/somebody/a/rather/long/folder/latest.duckdb"
    say(f"published: {path}", console=screen)
    assert path in text.getvalue().split()


def test_rows_that_fit_stand_side_by_side() -> None:
    screen, text = console()
    show_rows(("model", "usd"), [("gpt-4o", "2.5"), ("o3", "10")], console=screen, right=("usd",))
    assert [line.rstrip() for line in text.getvalue().splitlines()] == ["model   usd", "gpt-4o  2.5", "o3       10"]


def test_rows_that_do_not_fit_are_records_with_the_words_whole() -> None:
    screen, text = console(width=40)
    note = "the seller left the price out of two documents in a row"
    show_rows(("model", "note"), [("gpt-4o", note), ("o3", "")], console=screen)
    said = text.getvalue()
    assert said.splitlines()[0] == "model  gpt-4o"
    assert " ".join(said.split()) == f"model gpt-4o note {note} model o3 note"
    assert max(map(len, said.splitlines())) <= 40


def test_steering_signs_of_others_stay_visible() -> None:
    screen, text = console()
    show_rows(("name",), [("a\x1b[31mb",)], console=screen)
    assert "\x1b" not in text.getvalue()
