"""`iecon doctor`: the health of an installation."""

from pipelines.console import out


def doctor() -> None:
    """Say what is installed, what the disk holds, how old each source is and why, and what a refresh would use."""
    from pipelines.doctor import show_health  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    show_health(data_root(), console=out)
