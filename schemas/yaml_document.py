"""YAML from outside: plain values as YAML 1.2 reads them, each key once, and nothing that unfolds or nests without end."""

import re
from typing import Any

import yaml

DEEPEST = 30
"""Levels of nesting. The compiled reader calls itself at every level, so that a deep document would end the process."""
MOST_BYTES = 8_000_000
"""More than any document here has; a tree of values takes a hundred times its text."""
_PLAIN: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same values as the plain one, ten times as fast
INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)$|0x[0-9a-fA-F]+$")
FLOAT = re.compile(
    r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$|[-+]?[0-9]+[eE][-+]?[0-9]+$"
    r"|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"
)


class _Loader(_PLAIN):  # type: ignore[misc]
    """Numbers are those of YAML 1.2: `1:30` is no 90, and `010` no 8. Both stay text, which the contract then refuses."""

    yaml_implicit_resolvers = {
        first: [(tag, rule) for tag, rule in rules if tag not in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")]
        for first, rules in _PLAIN.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:int", INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+.0123456789"))


def read_yaml(body: bytes) -> Any:
    """Values of a YAML document.

    Raises ValueError where it is none, makes objects, nests deeply, repeats a key, or a list or map by reference. The message
    names the line and never repeats a value, which may be a secret.
    """
    if len(body) > MOST_BYTES:
        raise ValueError(f"YAML of {len(body) / 1e6:.0f} MB is not read: {MOST_BYTES / 1e6:.0f} MB at most")
    try:
        _check(body)
        return yaml.load(body, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        place = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ValueError(f"not YAML: {error.problem}{place}") from None
    except yaml.reader.ReaderError as error:
        raise ValueError(f"not YAML: {error.reason} at byte {error.position} (is it UTF-8?)") from None
    except (yaml.YAMLError, UnicodeError, OverflowError) as error:
        raise ValueError(f"not YAML: {' '.join(str(error).split())}") from None


def _check(body: bytes) -> None:
    """Go through a document piece by piece, before anything is built."""
    open_maps: list[set[str] | None] = []
    is_key = [False]
    for event in yaml.parse(body, Loader=_Loader):
        if isinstance(event, yaml.CollectionEndEvent):
            open_maps.pop()
            is_key.pop()
        elif isinstance(event, yaml.NodeEvent):
            keys = open_maps[-1] if open_maps else None
            if keys is not None and is_key[-1] and isinstance(event, yaml.ScalarEvent):
                if event.value in keys:
                    line = event.start_mark.line + 1 if event.start_mark else "?"
                    raise ValueError(f"a key stands twice in one map, the second time in line {line}")
                keys.add(event.value)
            is_key[-1] = keys is not None and not is_key[-1]
            if isinstance(event, yaml.CollectionStartEvent):
                if event.anchor:  # a few of them unfold to any size
                    raise ValueError(f"YAML that repeats a list or map by reference (&{event.anchor}) is not read")
                is_map = isinstance(event, yaml.MappingStartEvent)
                open_maps.append(set() if is_map else None)
                is_key.append(is_map)
                if len(open_maps) > DEEPEST:
                    raise ValueError(f"YAML nests deeper than {DEEPEST} levels")
