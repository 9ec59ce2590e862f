"""`iecon serve`: the report with exact answers in it, on this machine."""

from typing import Annotated

import typer

from pipelines.console import CommandError, err


def serve(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8787,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser as well.")] = False,
) -> None:
    """Hand out the report on this machine alone, where decide, host-or-call and SQL answer exactly. Stop with Ctrl-C."""
    import webbrowser  # noqa: PLC0415

    from figures import FOLDER, PAGE  # noqa: PLC0415
    from pipelines.web.start import is_taken  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    root = data_root()
    if not (root / FOLDER / PAGE).exists():
        raise CommandError(f"no report in {root} yet: run `iecon refresh` first")
    if is_taken("127.0.0.1", port):
        raise CommandError(f"port {port} of this machine is in use: choose another with --port", code=2)
    from pipelines.web.page import hand_out  # noqa: PLC0415  (a wrong port is told before the long imports)

    address = f"http://127.0.0.1:{port}"
    err.print(f"report on {address}, for this machine alone; Ctrl-C ends it", markup=False, soft_wrap=True)
    if open_it:
        webbrowser.open(address)
    hand_out(root, port=port)
