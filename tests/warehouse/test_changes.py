"""What moved from one release to the next."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.refreshed import iecon
from warehouse.changes import Change, Kind, UnknownReleaseError, compare, release_before

BEFORE = "20200101T000000Z-aaaaaaaa.duckdb"
"""The name of an earlier release."""
MOVED = """
UPDATE core.llm_price_wide SET input_usd_per_mtok = 5 * input_usd_per_mtok WHERE model = 'gpt-4o' AND provider = 'openai';
UPDATE core.gpu_price SET usd_per_gpu_hour = 2 * usd_per_gpu_hour WHERE gpu = 'h100-sxm';
UPDATE marts.price_frontier SET on_frontier = NOT on_frontier WHERE model = 'gpt-5';
UPDATE meta.claims SET verdict = 'inconclusive'
WHERE claim_id = (SELECT min(claim_id) FROM meta.claims WHERE verdict = 'reproduced');
DELETE FROM core.llm_price_current WHERE model = 'gpt-4o';
UPDATE meta.refresh SET outcome = 'failed' WHERE asset = 'source.litellm';
DROP TABLE marts.cost_per_correct_frontier;
"""


@pytest.fixture(scope="module")
def releases(refreshed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with the published release and an earlier one in which some things were otherwise."""
    folder = tmp_path_factory.mktemp("two") / "releases"
    folder.mkdir()
    published = (refreshed / "releases" / "latest.duckdb").resolve()
    shutil.copyfile(published, folder / BEFORE)
    (folder / published.name).symlink_to(published)
    (folder / "latest.duckdb").symlink_to(published)
    with duckdb.connect(str(folder / BEFORE)) as earlier:
        earlier.execute(MOVED)
    yield folder
    shutil.rmtree(folder)


def test_what_moved_is_told_by_kind(releases: Path) -> None:
    found = compare(releases / BEFORE, releases / "latest.duckdb")
    (price,) = found.of(Kind.PRICE)
    assert (price.subject, price.detail, price.unit) == ("gpt-4o", "openai input", "usd_per_mtok")
    assert price.ratio == pytest.approx(1 / 5)
    (rent,) = found.of(Kind.RENT)
    assert (rent.subject, rent.ratio) == ("h100-sxm", 0.5)
    assert {(change.before is None, change.after is None) for change in found.of(Kind.PRICE_FRONTIER)} == {
        (True, False),
        (False, True),
    }
    (verdict,) = found.of(Kind.VERDICT)
    assert (verdict.before, verdict.after) == ("inconclusive", "reproduced")
    (model,) = found.of(Kind.MODEL)
    assert (model.subject, model.before) == ("gpt-4o", None)
    (source,) = found.of(Kind.SOURCE)
    assert (source.subject, source.before) == ("litellm", "failed")
    assert found.not_compared == (Kind.CORRECT_FRONTIER,)


def test_a_release_differs_in_nothing_from_itself(releases: Path) -> None:
    found = compare(releases / "latest.duckdb", releases / "latest.duckdb")
    assert (found.changes, found.not_compared) == ((), ())


def test_the_release_before_is_found_by_order_day_or_name(releases: Path) -> None:
    assert release_before(releases) == releases / BEFORE
    assert release_before(releases, "2020-01-01") == releases / BEFORE
    assert release_before(releases, "2019-05-05") == releases / BEFORE  # the oldest that is kept
    assert release_before(releases, "aaaa") == releases / BEFORE
    with pytest.raises(UnknownReleaseError, match=r"no release bbbb is kept.* 20200101T000000Z-aaaaaaaa"):
        release_before(releases, "bbbb")


def test_the_command_tells_it_at_80_columns(releases: Path) -> None:
    done = iecon(releases.parent, "changes", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert "gpt-4o, openai input: $12.5 -> $2.5 (0.2 times)" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    as_json = iecon(releases.parent, "changes", "--since", "2020-01-01", "--json")
    assert '"kind": "verdict"' in as_json.stdout
    nothing = iecon(releases.parent, "changes", "--since", "nonsense")
    assert nothing.returncode == 2
    assert "is kept besides the current" in nothing.stderr


def test_a_ratio_needs_two_figures() -> None:
    change = Change(kind=Kind.VERDICT, subject="a", detail="", before="reproduced", after="inconclusive", unit=None)
    assert change.ratio is None
