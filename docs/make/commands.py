"""The page of the command line, from the commands themselves."""

from __future__ import annotations

from typing import Any

import typer

from microtome.app.cli.main import app

__all__ = ["page"]


def page() -> str:
    """Every command with its arguments and options, in Markdown."""
    group: Any = typer.main.get_command(app)
    return "\n".join(_command(name, command) for name, command in group.commands.items())


def _command(name: str, command: Any) -> str:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    usage = " ".join([f"microtome {name}", *(_usage(argument) for argument in arguments), "[OPTIONS]"])
    rows = [(f"`{_usage(argument)}`", getattr(argument, "help", "") or "") for argument in arguments]
    rows += [(f"`{', '.join(option.opts)}`", getattr(option, "help", "") or "") for option in options]
    table = "".join(f"| {what} | {about.replace('|', chr(92) + '|')} |\n" for what, about in rows)
    return f"## microtome {name}\n\n{command.help}\n\n```console\n$ {usage}\n```\n\n| | |\n|---|---|\n{table}"


def _usage(argument: Any) -> str:
    name = (argument.metavar or argument.name or "").upper()
    return f"{name}{'...' if argument.nargs == -1 else ''}" if argument.required else f"[{name}]"
