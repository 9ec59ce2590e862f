"""What `iecon ui` does before the server listens: who may ask it, and the address that is printed."""

import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipelines.web.guard import LOOPBACK, TOKEN, Rules, names_of

TOKEN_VARIABLE = "ECONOMICS_UI_TOKEN"


def start(
    root: Path, *, host: str, port: int, names: Sequence[str], asks_token: bool, read_only: bool, console: Console
) -> None:
    """Serve the UI over a data folder until it is stopped. Raises ValueError where the port is taken."""
    from pipelines.resources import dagster_home, instance  # noqa: PLC0415  (a wrong port is told before the long imports)

    if is_taken(host, port):
        raise ValueError(f"port {port} of {host} is in use: choose another with --port")
    token = (os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(24)) if asks_token else None
    rules = Rules(names_of(host, names), token)
    os.environ |= {"DAGSTER_HOME": str(dagster_home(root)), "ECONOMICS_DATA": str(root)}
    shown = f"http://{f'[{host}]' if ':' in host else host}:{port}" + (f"/?{TOKEN}={token}" if token else "")
    console.print(f"Dagster UI on {shown} with its records in {root / 'dagster'}", markup=False, soft_wrap=True)
    if host not in LOOPBACK | {"::1"} and token is None and not read_only:
        console.print(f"[yellow]whoever reaches {host} can start runs: add --token or --read-only[/yellow]", soft_wrap=True)
    from pipelines.web.server import serve  # noqa: PLC0415

    with instance(root) as dagster:
        serve(dagster, host=host, port=port, rules=rules, read_only=read_only)


def is_taken(host: str, port: int) -> bool:
    """Whether the address cannot be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False
