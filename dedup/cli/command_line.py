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
from dedup.cli.options import Group
from dedup.cli.signals import ending_gently
from dedup.errors import ConfigError, DedupError, reason_of
from dedup.util.suggest import did_you_mean
from dedup.util.terminal import print_line

# Shown by `dedup --help`, which imports none of them.
COMMANDS = {
    "scan": "Find near-copies and repeats in articles and score each one.",
    "filter": "Write the scanned inputs again without the redundant articles.",
    "templates": "List a scan's templates, or save them as a pack.",
    "info": "Show what a results folder holds and how it was made.",
}


class LazyCommands(Group):
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


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 for a failure, 2 for a wrong call."""
    signals = [signal.SIGINT]
    if isinstance(sys.stdout, io.TextIOWrapper):  # stderr escapes what it cannot encode already
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with ending_gently(signals):
            outcome = dedup.main(
                args=None if arguments is None else list(arguments),
                prog_name="dedup",
                standalone_mode=False,
            )
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader is gone; Python must not complain when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, click.Abort) as err:
        print_line("Interrupted: nothing was written", err=True)
        if way_on := str(err.__cause__ or ""):  # click raises its own from Python's
            print_line(f"hint: {way_on}", err=True)
        return 128 + signals[-1]
    except Exception as err:
        return _report(err)
    return outcome if isinstance(outcome, int) else 0


def _report(err: Exception) -> int:
    """Print what went wrong and the hint, and choose the exit code."""
    if isinstance(err, click.UsageError):
        if isinstance(err, click.exceptions.NoArgsIsHelpError):
            err.show()
            return 2
        _print(*_explain(err))
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
        place = os.fsdecode(err.filename) if isinstance(err.filename, str | bytes) else "a file"
        _print(f"cannot use {place}: {reason_of(err)}", None)
        return 1
    raise err


def _explain(err: click.UsageError) -> tuple[str, str]:
    """Say what was wrong with a command line, and what was probably meant."""
    path = err.ctx.command_path if err.ctx else "dedup"
    look = f"see {path} --help"
    if isinstance(err, click.NoSuchOption):
        known = [
            name
            for param in (err.ctx.command.get_params(err.ctx) if err.ctx else ())
            for name in (*param.opts, *param.secondary_opts)
            if isinstance(param, click.Option) and name.startswith("--")
        ]
        return f"{path} has no option {err.option_name}", did_you_mean(err.option_name, known, look)
    if isinstance(err, click.MissingParameter) and isinstance(err.param, click.Option):
        name, value = err.param.opts[0], err.param.metavar or ""
        return f"the option {name} is missing", f"add it, such as {name} {value.lower()}"
    if isinstance(err, click.MissingParameter) and err.ctx:
        given = [param for param in err.ctx.command.params if isinstance(param, click.Argument)]
        if len(given) > 1:
            look = f"its arguments are {' '.join(p.metavar or '' for p in given)}; {look}"
    return err.format_message().rstrip("."), look


def _print(message: str, hint: str | None) -> None:
    print_line(f"Error: {message}", err=True)
    if hint:
        print_line(f"hint: {hint}", err=True)
