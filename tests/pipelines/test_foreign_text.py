"""What others wrote is shown as text: it steers no terminal, turns no line round, and is no markup, link or picture."""

import io
import json
from pathlib import Path

import polars as pl
import pytest
from rich.progress import Progress

from answers.text import PlainConsole, write_json
from pipelines import cli
from schemas.foreign_text import escaped_in_markdown, plain
from warehouse.table import _markdown

HOSTILE = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\x00\r\udce9\u2028"


def test_steering_signs_become_visible_and_other_text_stays():
    assert plain("\x1b[2J") == "\\x1b[2J"
    assert plain("a\u202eb\udce9") == "a\\u202eb\\udce9"
    assert plain("Ünïcode 模型\tאבג\n👩‍💻") == "Ünïcode 模型\tאבג\n👩‍💻"


@pytest.mark.parametrize("terminal", [False, True])
def test_console_lets_none_through_whatever_prints_them(terminal: bool):
    file = io.StringIO()
    console = PlainConsole(file=file, force_terminal=terminal, width=200)
    console.print("[red]ours[/red]", HOSTILE)
    console.print(HOSTILE, markup=False, soft_wrap=True)
    with Progress(console=console) as bar:
        bar.add_task(HOSTILE, total=1)
    written = file.getvalue()
    file.buffer if hasattr(file, "buffer") else written.encode()  # no half of a sign is left
    for sign in ("\x1b]52", "\x1b[2J", "\x9b", "\u202e", "\u2066", "\x00", "\udce9", "\u2028", "\x07"):
        assert sign not in written
    assert ("\x1b[31mours" in written) == terminal


def test_json_carries_the_same_values_without_them():
    file = io.StringIO()
    write_json({"name": HOSTILE[:-2], "family": "\U000e0041"}, file)
    assert "\x1b" not in file.getvalue()
    assert "\u202e" not in file.getvalue()
    assert json.loads(file.getvalue()) == {"name": HOSTILE[:-2], "family": "\U000e0041"}


def test_preview_of_a_table_shows_no_link_picture_or_tag():
    shown = _markdown(
        pl.DataFrame({"name": ["![x](http://evil.example/x.png)", "<img src=x>", "a|b", None], "n": [1, 2, 3, 4]})
    )
    assert "\\!\\[x\\]\\(http" in shown
    assert "\\<img" in shown
    assert "a\\|b" in shown
    assert escaped_in_markdown("plain-name.1") == "plain-name.1"


def test_error_with_markup_in_it_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def fails() -> None:
        raise ValueError("bad [/red] file \x1b[2J [bold]x")

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err == "error: bad [/red] file \\x1b[2J [bold]x\n"


def test_names_that_look_like_markup_are_printed_as_they_are(tmp_path: Path):
    file = io.StringIO()
    PlainConsole(file=file, width=200).print("[bold]x[/bold]", markup=False)
    assert file.getvalue() == "[bold]x[/bold]\n"
