"""Where the host's options end and the guest's own arguments begin."""

from __future__ import annotations

import click


class RunCommand(click.Command):
    """
    A command line of the form ``[OPTIONS] APP [OPTIONS] [--] [ARGS]...``.

    Click knows options anywhere, or before the first argument only; here they may stand on either
    side of APP, and after them everything belongs to the guest, whatever it looks like.
    """

    allow_interspersed_args = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        before, rest = self._split(ctx, args)
        app, others = rest[:1], rest[1:]
        try:
            after, own = self._split(ctx, others)
        except click.NoSuchOption as error:
            message = error.format_message().rstrip(".")
            raise click.UsageError(
                f"{message}; options of the guest's own stand after `--`", ctx
            ) from error
        return super().parse_args(ctx, [*before, *after, "--", *app, *own])

    def _split(self, ctx: click.Context, args: list[str]) -> tuple[list[str], list[str]]:
        """The options at the beginning, and what follows them and a ``--``."""
        only_options = click.Command(
            self.name, params=[p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        )
        _, rest, _ = only_options.make_parser(ctx).parse_args(list(args))
        taken = args[: len(args) - len(rest)]
        return taken[:-1] if taken[-1:] == ["--"] else taken, rest

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        del ctx
        return ["APP", "[OPTIONS]", "[--]", "[ARGS]..."]
