import polars as pl

from tests.serving.benchmark_outputs import made
from tests.serving.benchmark_outputs.samples import read, rules


def test_line_cut_inside_its_last_figure_is_refused():
    parsed = read(made.aiconfigurator(5)[:-7])
    assert parsed.accepted.height == 4
    assert parsed.rejected["rule"].to_list() == ["truncated"]


def test_line_with_a_missing_cell_is_refused():
    parsed = read(made.aiconfigurator(5) + b"short,row\n")
    assert parsed.accepted.height == 5
    assert parsed.rejected["rule"].to_list() == ["wrong_width"]


def test_word_for_a_number_is_refused():
    assert rules(made.aiconfigurator(1).replace(b",500.0,", b",fast,")) == ["not_a_number"]


def test_table_of_which_a_part_is_in_another_unit_is_refused_as_a_whole():
    table = pl.read_csv(made.aiconfigurator(7), infer_schema_length=None).with_row_index()
    ttft = pl.col("silicon_ttft_ms") * pl.when(pl.col("index") < 3).then(1000).otherwise(1)
    found = rules(table.with_columns(ttft).drop("index").write_csv().encode())
    assert {"first_token_after_all_others", "file_in_doubt"} <= set(found)
