"""Would the tests notice? Single mistakes in a copy of the project, drawn with a seed, each against the tests nearest to it.

    uv run python -m tests.mutants --sample 300 --seed 1

A mistake is a swapped operator, an inverted comparison or condition, or another number, by cosmic-ray, anywhere in the floors
below. First come the tests that import the module, or what imports it; what survives meets all tests of its room. Printed: each
survivor with its place and change, then how many were killed. Nothing here changes the checkout.
"""

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cosmic_ray.ast import Visitor, get_ast
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names
from cosmic_ray.work_item import MutationSpec, TestOutcome

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("economics", "sources", "warehouse", "assets", "answers")
ARITHMETIC = "Add|Sub|Mul|Div|Pow"
ORDER = "Lt|LtE|Gt|GtE"
KINDS = re.compile(
    rf"core/(ReplaceBinaryOperator_({ARITHMETIC})_({ARITHMETIC})|ReplaceComparisonOperator_({ORDER})_({ORDER})|"
    r"ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq)|ReplaceUnaryOperator_(USub_UAdd|Invert_UAdd|Delete_Not)|AddNot|NumberReplacer|"
    r"ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceTrueWithFalse|ReplaceFalseWithTrue)"
)
"""Not among them: `|` of types, identity, decorators and names, whose mistakes a type checker or the import finds."""
NEAREST = 8
"""Most test files of the first round."""
LONGEST_S = 400.0


class Mutant(NamedTuple):
    """One mistake: the module, the operator, and which of its occurrences."""

    module: Path
    operator: str
    occurrence: int
    start: tuple[int, int]
    end: tuple[int, int]


class _Positions(Visitor):
    """Where one operator can change a module."""

    def __init__(self, operator: Operator) -> None:
        self.operator, self.found = operator, list[tuple[tuple[int, int], tuple[int, int]]]()

    def visit(self, node: object) -> object:
        self.found.extend(self.operator.mutation_positions(node))
        return node


def mutants_of(module: Path) -> Iterator[Mutant]:
    """Every mistake that can be made in a module."""
    tree = get_ast(module.read_text())
    for name in operator_names():
        if KINDS.fullmatch(name):
            positions = _Positions(get_operator(name)())
            positions.walk(tree)
            for place, (start, end) in enumerate(positions.found):
                yield Mutant(module, name, place, start, end)


def imported(file: Path) -> set[str]:
    """Dotted names that a file imports: modules, and what it takes from them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return found


def nearest_tests(root: Path, module: Path, uses: dict[Path, set[str]]) -> list[Path]:
    """Test files that import a module, then those that import what imports it."""

    def users(of: Path) -> list[Path]:
        name = ".".join(of.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        return [file for file, names in uses.items() if name in names]

    first = users(module)
    second = [file for each in first if not each.is_relative_to(root / "tests") for file in users(each)]
    tests = [file for file in (*first, *second) if file.name.startswith("test_")]
    return list(dict.fromkeys(tests))[:NEAREST]


def notices(mutant: Mutant, tests: list[Path]) -> tuple[bool, str]:
    """Whether one of the tests fails with the mistake, and the change itself."""
    files = " ".join(str(file) for file in tests)
    command = f"{sys.executable} -m pytest -o addopts= -q -x -n 2 -m 'not slow and not soak' -p no:cacheprovider {files}"
    spec = MutationSpec(mutant.module, mutant.operator, mutant.occurrence, mutant.start, mutant.end)
    result = mutate_and_test([spec], command, LONGEST_S)
    changed = [line for line in (result.diff or "").splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return result.test_outcome != TestOutcome.SURVIVED, " | ".join(line.strip() for line in changed)


def main() -> None:
    """Draw, try, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sample", type=int, default=30)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--of", nargs="*", default=list(FLOORS), help="floors, rooms or modules, such as economics/serving")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        for name in subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
        shared = ROOT.parent / "shared"
        if shared.exists():
            (root.parent / "shared").symlink_to(shared)
        os.chdir(root)
        places = [root / each for each in asked.of]
        modules = sorted(file for place in places for file in (place.rglob("*.py") if place.is_dir() else [place]))
        drawn = random.Random(asked.seed).sample([each for module in modules for each in mutants_of(module)], asked.sample)
        uses = {file: imported(file) for file in root.rglob("*.py")}
        killed = 0
        for number, mutant in enumerate(drawn, start=1):
            near = nearest_tests(root, mutant.module, uses)
            is_killed, change = notices(mutant, near) if near else (False, "")
            if not is_killed:
                room = root / "tests" / mutant.module.relative_to(root).parts[1]
                is_killed, change = notices(mutant, [room if room.is_dir() else root / "tests"])
            killed += is_killed
            place = f"{mutant.module.relative_to(root)}:{mutant.start[0]}"
            print(f"{number}/{asked.sample} {'killed' if is_killed else 'SURVIVED'} {place} {change}", flush=True)  # noqa: T201
        print(f"{killed} of {asked.sample} killed (seed {asked.seed})")  # noqa: T201


if __name__ == "__main__":
    main()
