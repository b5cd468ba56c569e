"""Options that several commands share, and how options become settings."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from dedup.errors import ConfigError
from dedup.util.printable import shell_word
from dedup.util.suggest import suggest


def read_share(_context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """Read a number between 0 and 1; suggest it if it is written in another way."""
    try:
        return None if value is None else float(value)
    except ValueError as err:
        raise ConfigError(
            f"{option.opts[0]} is {value!r}, but it must be a number such as 0.8",
            hint=_guess_share(value or ""),
        ) from err


def _guess_share(text: str) -> str | None:
    """Suggest the number that `80%` or `0,8` means."""
    given = text.strip().replace(",", ".")
    try:
        share = float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError:
        return None
    return f"did you mean {share:g}?" if math.isfinite(share) else None


class Group(click.Group):
    """A group that suggests a command for a name that it does not have."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; add its name to what click says about its options."""
        try:
            return super().invoke(ctx)
        except click.UsageError as err:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            if err.ctx is None and command is not None:
                err.ctx = click.Context(command, parent=ctx, info_name=command.name)
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            path = ctx.command_path
            meant = suggest(name, self.list_commands(ctx))
            hint = f"did you mean {path} {meant}?" if meant else f"see {path} --help"
            if not meant and ctx.parent is None and os.path.exists(name):
                hint = f"to scan it: {path} scan {shell_word(name)} -o results"
            raise ConfigError(f"there is no command {name!r}", hint=hint)
        return super().resolve_command(ctx, args)


Command = TypeVar("Command", bound=Callable[..., Any])

inputs_argument = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
results_argument = click.argument("results", metavar="RESULTS")
quiet_option = click.option(
    "-q", "--quiet", is_flag=True, help="Print nothing but errors; by default progress is shown."
)
overwrite_option = click.option(
    "--overwrite",
    is_flag=True,
    help="Replace existing files, once the new ones are complete; by default they are"
    " refused. Inputs and results are never replaced.",
)

_FIELDS = {
    "id": ("id, article_id, doc_id, uuid or guid", "else the file's name and row"),
    "text": ("text, content, body, ...", "and there must be one"),
    "date": (
        "date, published, pubdate, ...",
        "else the order of files and rows says which article came first",
    ),
    "source": ("source, domain, site, outlet, ...", "else sources are not distinguished"),
    "url": ("url, link or uri", "else no url is kept"),
}


def field_options(command: Command) -> Command:
    """Add an option for the name of each field."""
    for name, (usual, otherwise) in reversed(_FIELDS.items()):
        command = click.option(
            f"--{name}-field",
            metavar="NAME",
            help=f"Field with the {name} of an article; by default {usual}, {otherwise}.",
        )(command)
    return command


def given_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given, so that the others stay as the config file has them."""
    return {name: value for name, value in options.items() if value is not None}
