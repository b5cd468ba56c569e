"""The `dedup` command: finds the subcommand, and turns every failure into two lines."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from dedup._version import __version__
from dedup.cli.terminal import print_line
from dedup.errors import ConfigError, DedupError

# Shown by `dedup --help`, which imports none of them.
COMMANDS = {
    "scan": "Find near-copies and repeats in articles and score each one.",
    "filter": "Write the scanned inputs again without the redundant articles.",
    "templates": "List a scan's templates, or keep them as a pack.",
    "info": "Show what a results folder holds and how it was made.",
}


class LazyCommands(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which people use them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"dedup.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: dedup scan articles.jsonl -o results",
)
@click.version_option(__version__, prog_name="dedup")
def dedup() -> None:
    """Find near-copies and redundancy in articles, and explain every finding."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 for a failure, 2 for a wrong call."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # stderr escapes what it cannot encode already
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        outcome = dedup.main(
            args=None if arguments is None else list(arguments),
            prog_name="dedup",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads on; Python must not complain when it closes what is left of stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, click.Abort) as err:
        print_line("Interrupted: nothing was written", err=True)
        if way_on := str(err.__cause__ or ""):  # click raises its own from Python's
            print_line(f"hint: {way_on}", err=True)
        return 128 + signal.SIGINT
    except Exception as err:
        return _report(err)
    return outcome if isinstance(outcome, int) else 0


def _report(err: Exception) -> int:
    """Print what went wrong and the way out, and choose the exit code."""
    if isinstance(err, click.UsageError):
        if isinstance(err, click.exceptions.NoArgsIsHelpError):
            err.show()
            return 2
        path = err.ctx.command_path if err.ctx else "dedup"
        _print(err.format_message().rstrip("."), f"see {path} --help")
        return 2
    if isinstance(err, click.ClickException):
        _print(err.format_message(), None)
        return err.exit_code
    if isinstance(err, DedupError):
        _print(str(err), err.hint)
        return 2 if isinstance(err, ConfigError) else 1
    if isinstance(err, MemoryError):
        _print("there is not enough memory", "use fewer --threads, or scan a part of the inputs")
        return 1
    if isinstance(err, OSError):
        place = f" {err.filename}" if err.filename else ""
        _print(f"cannot use{place or ' a file'}: {err.strerror or err}", None)
        return 1
    raise err


def _print(message: str, hint: str | None) -> None:
    print_line(f"Error: {message}", err=True)
    if hint:
        print_line(f"hint: {hint}", err=True)
