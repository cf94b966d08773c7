"""The command ``bbd``: one file a subcommand, and one way for errors to reach a person."""

from __future__ import annotations

import errno
import logging
import os
import sys
from typing import Annotated

import typer

from bbd import __version__
from bbd.cli import (
    check,
    compact,
    create,
    demo,
    export_image,
    files,
    grow,
    import_image,
    info,
    mount,
    recover,
    serve,
    status,
    what,
    where,
)
from bbd.cli.map import draw_map
from bbd.errors import BbdError
from bbd.worlds.live.codes import BridgeError

app = typer.Typer(
    name="bbd",
    help="A network block device whose disk is made of Minecraft blocks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("create")(create.create)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("status")(status.status)
app.command("info")(info.info)
app.command("check")(check.check)
app.command("map")(draw_map)
app.command("import")(import_image.import_image)
app.command("export")(export_image.export_image)
app.command("compact")(compact.compact)
app.command("grow")(grow.grow)
app.command("recover")(recover.recover)
app.command("files")(files.files)
app.command("mount")(mount.mount)
# A negative coordinate must not be taken for an option.
app.command("where", context_settings={"ignore_unknown_options": True})(where.where)
app.command("what", context_settings={"ignore_unknown_options": True})(what.what)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bbd {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """A network block device whose disk is made of Minecraft blocks."""
    del version


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 it could not be done (one line on stderr says why), 2 misused."""
    logging.basicConfig(format="bbd: %(message)s", level=logging.WARNING)
    try:
        app()
    except BbdError as error:
        _fail(str(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        _fail(_words(error))
    except Exception as error:  # a person gets one line; the traceback is for whoever asks for it
        if os.environ.get("BBD_TRACEBACK"):
            raise
        _fail(f"a bug: {type(error).__name__}: {error}. Please report it, with what BBD_TRACEBACK=1 prints")


def _fail(message: str) -> None:
    print(f"bbd: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(1)


def _words(error: OSError) -> str:
    if isinstance(error, BridgeError):  # of the server's machine, not of this one
        return str(error.strerror)
    path = f"{error.filename}: " if error.filename else ""
    cure = {
        errno.ENOSPC: "; make room on that file system and try again",
        errno.EACCES: "; look at the owner and mode of the file",
        errno.EROFS: "; the file system is mounted read-only",
    }.get(error.errno or 0, "")
    return f"{path}{error.strerror or error}{cure}"
