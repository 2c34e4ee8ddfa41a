"""``wasi:cli/environment``: arguments and variables, recorded on every call (spec 4.2)."""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import READ_LOCAL, function, interface


@interface("wasi:cli/environment")
class Environment:
    @function(READ_LOCAL, record="golem_environment::get_environment")
    def get_environment(self, context: InstanceContext) -> list[tuple[str, str]]:
        return list(context.services.identity.env)

    @function(READ_LOCAL, record="golem_environment::get_arguments")
    def get_arguments(self, context: InstanceContext) -> list[str]:
        return list(context.services.identity.args)

    @function(READ_LOCAL, record="golem_environment::initial_cwd")
    def initial_cwd(self, context: InstanceContext) -> str | None:
        return "/"
