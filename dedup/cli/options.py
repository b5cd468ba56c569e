"""Options that several commands have, and how options become settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

inputs_argument = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
results_argument = click.argument("results", metavar="RESULTS")
quiet_option = click.option(
    "-q", "--quiet", is_flag=True, help="Print nothing but errors; by default progress is shown."
)
overwrite_option = click.option(
    "--overwrite",
    is_flag=True,
    help="Replace files that exist already, when the new ones are whole; by default they are"
    " refused. Inputs and results are never replaced.",
)

_FIELDS = {
    "id": ("id, article_id, doc_id, uuid or guid", "else the file's name and row"),
    "text": ("text, content, body, ...", "and there must be one"),
    "date": (
        "date, published, pubdate, ...",
        "else the order of files and rows says which article came first",
    ),
    "source": ("source, domain, site, outlet, ...", "else no sources are told apart"),
    "url": ("url, link or uri", "else none is kept"),
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
