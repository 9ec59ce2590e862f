"""What must never happen: a secret written down, data that runs as code, a query that reaches out of its file."""

import base64
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from runpy import run_path

import dagster as dg
import duckdb
import pytest

import assets
from answers.query import connect
from pipelines.refresh import QUIET
from pipelines.resources import instance, resources
from sources.prices.gpuhunt import unzip_csv
from sources.publishers import CATALOGUE
from sources.serving.benchmark_outputs import read_meta
from tests.live_server import HERE, LiveServer, document, redirect, status
from tests.pipelines.test_refresh import PATH, models
from tests.refreshed import ROOT, iecon
from warehouse.resources import read_settings

SECRET = "pa55/word@home?"
LAUGHS = b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (n + 1, n + 1, n, n) for n in range(97, 122))


class TestLogins:
    def test_come_from_the_environment_into_the_address(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("MIRROR_LOGIN", f"me:{SECRET}")
        config = tmp_path / "config.yaml"
        config.write_text("urls: {litellm: 'https://${MIRROR_LOGIN}@mirror.example.org/x'}")
        assert read_settings(config).urls == {"litellm": "https://me:pa55%2Fword%40home%3F@mirror.example.org/x"}

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            (f"urls: {{litellm: 'https://me:{SECRET}@mirror.example.org'}}", "a login does not belong in the file"),
            ("urls: {litellm: 'https://${NOT_SET_HERE}@mirror.example.org'}", "no variable NOT_SET_HERE"),
            ("urls: {litellm: '${WHOLE}'}", "should be http"),
            (f"urls: {{litellm: https://me:{SECRET}@mirror.example.org\ncontact: [", "config.yaml: .* in line"),
            (f"urls: https://me:{SECRET}@mirror.example.org", "Expected `object`"),
        ],
        ids=["in the file", "not set", "no address", "broken YAML", "wrong kind"],
    )
    def test_complaint_never_repeats_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, complaint: str):
        monkeypatch.setenv("WHOLE", f"https://me:{SECRET}@host@mirror.example.org")
        (tmp_path / "config.yaml").write_text(text)
        with pytest.raises(ValueError, match=complaint) as error:
            read_settings(tmp_path / "config.yaml")
        assert "pa55" not in str(error.value)
        assert "pa55" not in iecon(tmp_path, "doctor").stderr

    @pytest.mark.slow
    def test_are_nowhere_in_the_data_folder_after_days_of_good_and_bad_answers(
        self, tmp_path: Path, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
    ):
        login = f"me:{SECRET}"
        monkeypatch.setenv("MIRROR_LOGIN", login)
        address = live_server.url.replace("://", "://${MIRROR_LOGIN}@")
        (tmp_path / "config.yaml").write_text(f"urls: {{openrouter: '{address}'}}\nprivate_hosts: [127.0.0.1]\n")
        steps = ["source/openrouter", "raw/openrouter_price"]
        told = ""
        for reply in (document(models(a="0.000003")), status(403), redirect("http://example.org/"), document(b"[")):
            live_server.serve(PATH, reply)
            with instance(tmp_path) as dagster:
                done = dg.materialize(
                    dg.load_assets_from_package_module(assets),
                    selection=steps,
                    resources=resources(tmp_path),
                    run_config=QUIET,
                    instance=dagster,
                )
                told += "\n".join(entry.to_json() for entry in dagster.all_logs(done.run_id))
        assert {base64.b64decode(asked.headers["Authorization"].split()[1]).decode() for asked in live_server.requests} == {
            login
        }
        (tmp_path / "config.yaml").unlink()
        written = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert {"log.jsonl", "openrouter_price.parquet"} <= {file.name for file in written}
        for secret in (b"pa55", base64.b64encode(login.encode())):
            assert secret.decode() not in told
            assert not [file for file in written if secret in file.read_bytes()]
        assert "HTTP 403" in told
        shown = iecon(tmp_path, "doctor", "--all", MIRROR_LOGIN=login)
        assert "openrouter" in shown.stdout
        assert "pa55" not in shown.stdout + shown.stderr


class TestQuery:
    @pytest.mark.parametrize(
        "sql",
        [
            "ATTACH '{folder}/new.duckdb'",
            "ATTACH '{folder}/other.duckdb' (READ_ONLY)",
            "ATTACH ':memory:' AS m",
            "COPY (SELECT 1) TO '{folder}/new.csv'",
            "EXPORT DATABASE '{folder}/new'",
            "IMPORT DATABASE '{folder}'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "LOAD '{folder}/x.duckdb_extension'",
            "CALL start_ui()",
            "FROM read_csv('{folder}/secret.csv')",
            "FROM '{folder}/secret.csv'",
            "FROM read_text('{folder}/secret.csv')",
            "FROM read_blob('{folder}/secret.csv')",
            "FROM sniff_csv('{folder}/secret.csv')",
            "FROM glob('{folder}/*')",
            "FROM read_duckdb('{folder}/other.duckdb')",
            "FROM read_parquet('http://127.0.0.1:1/x')",
            "FROM parquet_metadata('{folder}/x')",
            "SELECT getenv('HOME')",
            "FROM duckdb_secrets()",
            "CREATE SECRET s (TYPE http, BEARER_TOKEN 'x')",
            "CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')",
            "SET enable_external_access = true",
            "RESET enable_external_access",
            "PRAGMA enable_external_access = true",
            "SET lock_configuration = false",
            "SET allowed_directories = ['/']",
            "SET allowed_paths = ['{folder}/secret.csv']",
            "SET temp_directory = '{folder}/new'",
            "SET extension_directory = '{folder}/new'",
            "SET secret_directory = '{folder}/new'",
            "SET log_query_path = '{folder}/new'",
            "PRAGMA enable_profiling = 'json'",
            "PRAGMA profiling_output = '{folder}/new.json'",
            "SET GLOBAL memory_limit = '9TB'",
            "CALL enable_logging(storage = 'file', storage_config = {{'path': '{folder}/new'}})",
            "CREATE TABLE core.x AS SELECT 1",
            "DROP TABLE core.gpu",
            "DELETE FROM core.gpu",
            "CREATE VIEW core.y AS SELECT 1",
            "ALTER TABLE core.gpu ADD COLUMN x INT",
            "CREATE OR REPLACE MACRO f() AS 1",
            "SELECT 1; COPY (SELECT 1) TO '{folder}/new.csv'",
        ],
    )
    def test_reaches_nothing_but_its_own_file(self, refreshed: Path, tmp_path: Path, sql: str):
        (tmp_path / "secret.csv").write_text("a\n1\n")
        duckdb.connect(str(tmp_path / "other.duckdb")).close()
        before = sorted(tmp_path.rglob("*"))
        with connect(refreshed / "releases" / "latest.duckdb") as connection, pytest.raises(duckdb.Error):
            connection.execute(sql.format(folder=tmp_path)).fetchall()
        assert sorted(tmp_path.rglob("*")) == before

    def test_that_would_kill_the_process_is_one_line(self, refreshed: Path, tmp_path: Path):
        """DuckDB ends the process where its log cannot be opened, so that logging must not be switched on at all."""
        sql = f"CALL enable_logging(storage = 'file', storage_config = {{'path': '{tmp_path}/log'}})"
        done = iecon(refreshed, "query", sql)
        assert (done.returncode, "configuration has been locked" in done.stderr) == (1, True)


class TestNoCodeFromData:
    @pytest.mark.parametrize(
        "body",
        [b"!!python/object/apply:os.system ['touch run']", b"- !!python/name:os.system", b"!!python/module:os"],
    )
    def test_yaml_makes_plain_values_only(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "config.yaml").write_bytes(body)
        with pytest.raises(ValueError, match="could not determine a constructor"):
            read_settings(tmp_path / "config.yaml")
        with pytest.raises(ValueError, match=r"not YAML|could not determine"):
            read_meta(body)
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize("body", [LAUGHS, b"[" * 100_000, b"a: " + b"{a: " * 50_000], ids=["laughs", "lists", "maps"])
    @pytest.mark.slow
    def test_yaml_bombs_are_refused_in_little_memory(self, body: bytes):
        """In a process of its own, as a bomb that works ends the process: the compiled reader overflows its stack."""
        code = (
            "import resource, sys\nfrom sources.serving.benchmark_outputs import read_meta\n"
            "from tests.pipelines.test_security import parsers_of_yaml\n"
            "resource.setrlimit(resource.RLIMIT_CPU, (60, 60))\n"
            "body = sys.stdin.buffer.read()\n"
            "for parse in parsers_of_yaml():\n"
            "    try:\n        parse(body)\n        sys.exit('taken for good')\n    except ValueError:\n        pass\n"
            "assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_000_000\n"
        )
        done = subprocess.run([sys.executable, "-c", code], input=body, cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()[-2000:]

    def test_zip_that_unpacks_to_far_more_is_refused(self):
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("aws.csv", bytes(50_000_000))
        assert len(packed.getvalue()) < 100_000
        with pytest.raises(ValueError, match="unpacks to 50000000 bytes"):
            unzip_csv(packed.getvalue(), "aws.csv")


def parsers_of_yaml() -> list[Callable[[bytes], object]]:
    """Everything that reads YAML from outside: each takes bytes."""
    import tempfile
    from datetime import UTC, datetime

    from sources.source import Snapshot
    from sources.test_time.aider_polyglot import parse_runs

    def settings(body: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "config.yaml").write_bytes(body)
            return read_settings(Path(folder) / "config.yaml")

    def runs(body: bytes) -> object:
        day = datetime(2026, 12, 1, tzinfo=UTC)
        return parse_runs(Snapshot("aider_polyglot", body, "0" * 64, "http", "https://example.org", day))

    return [read_meta, settings, runs]


AUDIT = run_path(str(ROOT / ".ci" / "audit"))["verdict"]


@pytest.mark.parametrize(
    ("report", "errors", "code", "line"),
    [
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', "", 0, "no known vulnerability in 1 packages"),
        (
            '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]},'
            '{"name": "b", "skip_reason": "not found"}]}',
            "",
            1,
            "a 1: CVE-1, fixed in 2",
        ),
        ('{"dependencies": [{"name": "b", "skip_reason": "not found"}]}', "", None, "1 of 1 packages are unknown"),
        ("", "ConnectionError: Failed to resolve 'api.osv.dev'", None, "Failed to resolve"),
        ("", "error: unrecognized arguments: -s", 2, "unrecognized arguments"),
    ],
    ids=["clean", "hole", "service knows nothing", "no service", "broken"],
)
def test_audit_tells_a_pass_from_an_audit_that_did_not_happen(report: str, errors: str, code: int | None, line: str):
    assert AUDIT(report, errors)[0] == code
    assert line in AUDIT(report, errors)[1]


def test_only_configured_hosts_are_asked_and_all_over_tls():
    """Every address of the catalogue; anything else can only come from `urls` in config.yaml."""
    addresses = [
        address
        for sources in CATALOGUE.values()
        for source in sources
        for rung in source.live
        for address in (getattr(rung, "url", None), getattr(rung, "version_url", None))
        if address
    ]
    assert len(addresses) > 20
    assert all(address.startswith("https://") for address in addresses)
    assert {"127.0.0.1"} == HERE
