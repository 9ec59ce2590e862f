"""All table contracts by name: the one list from which DDL, comments, dictionary and asset keys are made."""

import importlib
import pkgutil
from types import ModuleType

import schemas
from schemas.base import Table, table_name

ROOMS = ("prices", "test_time", "serving", "routing", "levers", "evidence")
"""The subjects, in the order in which a reader meets their tables."""
LAYERS = ("raw.", "core.", "marts.", "meta.")


def room_of(module: str) -> str:
    """The room in which a module stands, on whatever floor: `assets.prices.frontier` is in prices; evidence serves all."""
    return next((part for part in module.split(".") if part in ROOMS), "evidence")


def _modules() -> list[ModuleType]:
    """Every module of contracts: those that serve all subjects first, then room by room."""
    shared = [name for _, name, is_package in pkgutil.iter_modules(schemas.__path__) if not is_package and name != "registry"]
    rooms = [importlib.import_module(f"schemas.{room}") for room in ROOMS]
    inside = [f"{room.__name__}.{name}" for room in rooms for _, name, _ in pkgutil.iter_modules(room.__path__)]
    return [importlib.import_module(name) for name in [*(f"schemas.{name}" for name in shared), *inside]]


def _contracts() -> dict[str, type[Table]]:
    found: dict[str, type[Table]] = {}
    for module in _modules():
        values = [each for value in vars(module).values() for each in (value.values() if isinstance(value, dict) else [value])]
        for item in values:
            if isinstance(item, type) and issubclass(item, Table) and table_name(item).startswith(LAYERS):
                bare = table_name(item).split(".")[1]
                assert found.get(bare, item) is item, f"two tables are called {bare}"
                found[bare] = item
    return found


TABLES = _contracts()
"""Contract of every table by its bare name; bare names are unique over layers."""
