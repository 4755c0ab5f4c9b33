"""How commands end otherwise than well: one line on standard error, and an exit code that says why.

Bugs are not among it: they show themselves whole.
"""

from __future__ import annotations

import os
import sys

import click

from sidestep.core.errors import SidestepError
from sidestepctl.workers import WorkerLostError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as a shell gives it: 128 and SIGINT's number."""
NOBODY_READS = 141
"""Exit code where a pipe's other end has gone (`| head`): 128 and SIGPIPE's number, which is what
a shell says of the tools that die of it."""


class UserError(click.ClickException):
    """What the user can put right: printed as one line, exit code 2."""

    exit_code = 2


class UnwrittenError(click.ClickException):
    """The output is not complete: its disk is full, say. Exit code 1."""


class OneLine(click.Command):
    """A command that tells every error in one line; of a group, those of all its commands."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: object,
    ) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise _told(error) from None
        except OSError:  # --help and --version print here
            sys.exit(_unwritten())

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _told(error) from None
        except (SidestepError, WorkerLostError) as error:
            raise UserError(" ".join(str(error).split())) from None
        except KeyboardInterrupt:
            # A terminal has shown ^C in this line.
            begin = "\n" if sys.stderr.isatty() else ""
            click.echo(f"{begin}interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except OSError:
            ctx.exit(_unwritten())


class OneLineGroup(OneLine, click.Group):
    """The same of a group."""


def _told(error: click.UsageError) -> UserError:
    """What is wrong, and where to look; click's own way takes four lines."""
    what = " ".join(error.format_message().split()).rstrip(".")
    where = error.ctx.command_path if error.ctx is not None else None
    return UserError(f"{what} (see {where} --help)" if where else what)


def _unwritten() -> int:
    """The exit code where the output cannot be written. Raises UnwrittenError where a reader is not
    merely gone, and the error at hand where something else broke, by a bug."""
    broken = _stdout_breaks()
    if broken is None:
        raise  # what is being handled
    if isinstance(broken, BrokenPipeError):
        return NOBODY_READS
    raise UnwrittenError(f"the output cannot be written: {broken.strerror}") from None


def _stdout_breaks() -> OSError | None:
    """What is wrong with where the output goes; None where something else broke, by a bug. If it is
    broken, nothing more is written to it."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError as error:
        # What waits to be written would fail once more at exit, with a traceback:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    return None
