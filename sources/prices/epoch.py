"""Epoch's benchmark bundle: the Capabilities Index (ECI) and the scores behind it.

The bundle is a zip of CSV files, rebuilt daily: one file per benchmark, `benchmark_metadata.csv` (which column of which
file is the score, and the factor that makes it a fraction), `model_metadata.csv` (model version to model of the index), and
the index itself. The index has changed its place and its columns before, so it is found by its header. Every release refits
all scores, and with them the past. Epoch's own figures are CC BY 4.0; `*_external.csv` files hold third parties' results under
their own terms. The floor is the index of 8 February 2026 alone: no benchmark scores come from it.
"""

import io
import zipfile
import zlib
from datetime import date

import polars as pl
from polars.exceptions import PolarsError

from schemas.base import empty, polars_schema
from schemas.prices.capability import EpochBenchmark, EpochEci
from schemas.quarantine import Parsed, Rejected, reject
from sources.document import SEEDS, seed
from sources.source import Http, Snapshot, Source, refuses_in_words

SOURCE = Source(
    name="epoch",
    title="Epoch AI benchmark data and Capabilities Index",
    homepage="https://epoch.ai/benchmarks/use-this-data",
    licence="CC BY 4.0, Epoch AI; files *_external.csv keep the terms of their publishers",
    live=(Http("https://epoch.ai/data/benchmark_data.zip"),),
    floor=(seed(SEEDS / "epoch_eci.csv"),),
)

_MEMBER_LIMIT_BYTES = 32_000_000
_BUNDLE_LIMIT_BYTES = 128_000_000
_MEMBER_LIMIT = 2_000
_RATIO_LIMIT = 200
_EARLIEST = (2020, 1, 1)

_ECI_COLUMNS = {
    "source_model": ("Model", "Model version"),
    "score": ("eci", "ECI Score"),
    "score_low": ("eci_ci_low",),
    "score_high": ("eci_ci_high",),
    "release_date": ("date", "Release date"),
    "organization": ("Organization",),
    "accessibility": ("Model accessibility",),
}
"""Columns of the index under their names of 2026 and, after them, of the flat file before it."""

_OWN_RUN_SCORES = ("Best score (across scorers)", "mean_score")
"""Score columns of benchmarks that Epoch runs itself; of other files only the metadata knows."""


@refuses_in_words
def parse_eci(snapshot: Snapshot) -> Parsed:
    """Scores of the index (contract `EpochEci`) and rows refused. Raises ValueError where no table of the index is found."""
    tables, as_of = _open(snapshot)
    index = _index(tables)
    named = {name: next((c for c in names if c in index.columns), None) for name, names in _ECI_COLUMNS.items()}
    rows = index.select(
        (pl.col(column) if column else pl.lit(None, pl.String)).str.strip_chars().replace("", None).alias(name)
        for name, column in named.items()
    ).filter(pl.col("source_model").is_not_null())
    scored = rows.with_columns(_number("score", "score_low", "score_high"), published=pl.col("score"))
    unscored = pl.col("score").is_null()
    repeated = ~pl.col("source_model").is_first_distinct()
    refused = pl.concat(
        [
            reject(
                scored.filter(unscored),
                source=snapshot.source,
                row_key=pl.col("source_model"),
                column_name=named["score"],
                value=pl.col("published"),
                rule="not_a_number",
                reason="the score is no finite number",
                severity="invalid",
            ),
            reject(
                scored.filter(~unscored).filter(repeated),
                source=snapshot.source,
                row_key=pl.col("source_model"),
                value=pl.col("published"),
                rule="repeated_model",
                reason="a second score for the same model; the first is kept",
                severity="suspect",
            ),
        ]
    )
    kept = scored.filter(~unscored).unique("source_model", keep="first", maintain_order=True)
    return Parsed(_in_contract(kept, EpochEci, snapshot, as_of), refused)


@refuses_in_words
def parse_benchmarks(snapshot: Snapshot) -> Parsed:
    """Benchmark scores of the bundle (contract `EpochBenchmark`) and rows or files refused; none from the floor.

    Raises ValueError where the document has no table of the index either, since it is another document then.
    """
    tables, as_of = _open(snapshot)
    _index(tables)
    groups = _model_groups(tables)
    accepted, refused = [empty(EpochBenchmark)], [empty(Rejected)]
    for file, table in tables.items():
        if "Model version" not in table.columns or "ECI Score" in table.columns:
            continue
        benchmark, column, scale = _score_column(tables, file, table.columns)
        if column is None:
            told = pl.DataFrame({"file": [file], "columns": [", ".join(table.columns)]})
            unknown = reject(
                told,
                source=snapshot.source,
                row_key=pl.col("file"),
                value=pl.col("columns"),
                rule="unknown_score_column",
                reason="the bundle does not say which column is the score",
                severity="out_of_scope",
            )
            refused.append(unknown.with_columns(n_rows=pl.lit(max(table.height, 1), pl.Int64)))
            continue
        rows = _scores(table, file, benchmark, column, scale).join(groups, on="source_model", how="left")
        bad = pl.col("score").is_null() | pl.col("source_model").is_null()
        unusable = reject(
            rows.filter(bad),
            source=snapshot.source,
            row_key=pl.format("{}:{}", pl.lit(file), "row"),
            column_name=column,
            value=pl.col("published"),
            rule="no_score",
            reason="names no model version or no finite score",
            severity="out_of_scope",
        )
        refused.append(unusable)
        accepted.append(_in_contract(rows.filter(~bad), EpochBenchmark, snapshot, as_of))
    return Parsed(pl.concat(accepted), pl.concat(refused))


def _index(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """The table of the index, found by its header. Raises ValueError where there is none."""
    for header in ({"Model", "eci"}, {"Model version", "ECI Score"}):
        for table in tables.values():
            if header <= set(table.columns):
                return table
    raise ValueError("no table with the columns Model and eci, or Model version and ECI Score")


def _open(snapshot: Snapshot) -> tuple[dict[str, pl.DataFrame], date]:
    """All tables of the document as text, by name, and its day: of the zip's youngest member, else of the document."""
    if not snapshot.body.startswith(b"PK"):
        return {"eci_scores.csv": _table(snapshot.body)}, snapshot.seen_on
    try:
        with zipfile.ZipFile(io.BytesIO(snapshot.body)) as bundle:
            members = _checked(bundle)
            tables = {member.filename: _table(_read(bundle, member)) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"not a readable zip: {error}") from error
    seen = snapshot.seen_on
    stamped = max((member.date_time[:3] for member in members), default=_EARLIEST)
    return tables, date(*stamped) if _EARLIEST < stamped <= (seen.year, seen.month, seen.day) else seen


def _checked(bundle: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The CSV members of a zip. Raises ValueError for a zip that no honest publisher makes: names that leave the folder, too
    many members, or members that unpack to far more than they take."""
    members = bundle.infolist()
    if len(members) > _MEMBER_LIMIT:
        raise ValueError(f"{len(members)} members in the zip")
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        if member.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            raise ValueError(f"a member leaves its folder: {member.filename!r}")
        if member.file_size > _MEMBER_LIMIT_BYTES or member.file_size > _RATIO_LIMIT * max(member.compress_size, 1_000):
            raise ValueError(f"a member unpacks to {member.file_size} bytes: {member.filename!r}")
    if sum(member.file_size for member in members) > _BUNDLE_LIMIT_BYTES:
        raise ValueError("the zip unpacks to more bytes than are believable")
    return [member for member in members if member.filename.lower().endswith(".csv")]


def _read(bundle: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """One member, never more than it announces."""
    with bundle.open(member) as file:
        body = file.read(member.file_size + 1)
    if len(body) != member.file_size:
        raise ValueError(f"a member is not as long as announced: {member.filename!r}")
    return body


def _table(body: bytes) -> pl.DataFrame:
    """A CSV document with all columns as text. Raises ValueError where it is none."""
    if not body.strip():
        return pl.DataFrame()
    try:
        return pl.read_csv(io.BytesIO(body.removeprefix(b"\xef\xbb\xbf")), infer_schema=False, null_values=[""])
    except PolarsError as error:
        raise ValueError(f"not a CSV document: {str(error).splitlines()[0]}") from error


def _number(*columns: str) -> pl.Expr:
    """Text columns as finite numbers, NULL for anything else."""
    number = pl.col(*columns).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _model_groups(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Model version to model of the index; a version under two models belongs to none."""
    known = [t for t in tables.values() if {"model_version", "model_group"} <= set(t.columns)]
    if not known:
        return pl.DataFrame(schema={"source_model": pl.String, "model_group": pl.String})
    pairs = known[0].select(source_model=pl.col("model_version").str.strip_chars(), model_group="model_group").drop_nulls()
    return pairs.unique().filter(pl.len().over("source_model") == 1)


def _score_column(tables: dict[str, pl.DataFrame], file: str, columns: list[str]) -> tuple[str, str | None, float | None]:
    """Benchmark, score column and factor to a fraction of one file, as the bundle's metadata states them."""
    base = file.rpartition("/")[2]
    stem = base.removesuffix(".csv")
    wanted = {"benchmark", "source_file", "score_column", "scale"}
    for table in tables.values():
        if wanted <= set(table.columns):
            for row in table.filter(pl.col("source_file") == base).to_dicts():
                if row["score_column"] in columns:
                    scale = pl.DataFrame({"scale": [row["scale"]]}, schema={"scale": pl.String}).select(_number("scale"))
                    return row["benchmark"] or stem, row["score_column"], scale.item()
    return stem, next((c for c in _OWN_RUN_SCORES if c in columns), None), None


def _scores(table: pl.DataFrame, file: str, benchmark: str, column: str, scale: float | None) -> pl.DataFrame:
    """Rows of one benchmark file with the columns of the contract, before they are checked."""

    def text(name: str) -> pl.Expr:
        return pl.col(name) if name in table.columns else pl.lit(None, pl.String)

    rows = table.select(
        source_model=pl.col("Model version").str.strip_chars(),
        published=pl.col(column),
        score=pl.col(column).str.strip_chars().str.strip_suffix("%"),
        standard_error=text("stderr"),
        release_date=text("Release date"),
        organization=text("Organization").str.strip_chars(),
    )
    return rows.with_row_index("row", offset=1).with_columns(
        _number("score", "standard_error"),
        benchmark=pl.lit(benchmark),
        source_file=pl.lit(file),
        score_column=pl.lit(column),
        score_percent=_number("score") * (100.0 * scale) if scale is not None else pl.lit(None, pl.Float64),
    )


def _in_contract(
    rows: pl.DataFrame, contract: type[EpochEci] | type[EpochBenchmark], snapshot: Snapshot, as_of: date
) -> pl.DataFrame:
    """Rows with the constant columns, in the contract's order and types."""
    dated = rows.with_columns(
        pl.col("release_date").str.strip_chars().str.to_date("%Y-%m-%d", strict=False),
        source=pl.lit(snapshot.source),
        as_of=pl.lit(as_of),
    )
    return dated.select(pl.col(name).cast(dtype) for name, dtype in polars_schema(contract).items())
