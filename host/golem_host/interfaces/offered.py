"""
Every interface of ``wit/`` that guests may import.

They are loaded package by package, when the first component imports something of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Final

from golem_host.declare import Registry

HOMES: Final = {
    "golem:api": (
        "golem.api.host:HOST",
        "golem.api.context:CONTEXT",
        "golem.api.oplog:GetOplogResource",
        "golem.api.oplog:SearchOplogResource",
    ),
    "golem:durability": (
        "golem.durability.durability:DurabilityFunctions",
        "golem.durability.durability:LazyInitializedPollableResource",
    ),
    "golem:rpc": ("golem.rpc.types:RPC",),
    "wasi:blobstore": (
        "wasi.blobstore.blobstore:Blobstore",
        "wasi.blobstore.container:ContainerResource",
        "wasi.blobstore.names:StreamObjectNamesResource",
        "wasi.blobstore.types:IncomingValueResource",
        "wasi.blobstore.types:OutgoingValueResource",
    ),
    "wasi:cli": (
        "wasi.cli.environment:Environment",
        "wasi.cli.exit:Exit",
        "wasi.cli.stdio:Stdin",
        "wasi.cli.stdio:Stdout",
        "wasi.cli.stdio:Stderr",
        "wasi.cli.terminal:TerminalInputResource",
        "wasi.cli.terminal:TerminalOutputResource",
        "wasi.cli.terminal:TerminalStdin",
        "wasi.cli.terminal:TerminalStdout",
        "wasi.cli.terminal:TerminalStderr",
    ),
    "wasi:clocks": (
        "wasi.clocks.monotonic_clock:MonotonicClock",
        "wasi.clocks.wall_clock:WallClock",
    ),
    "wasi:config": ("wasi.config.store:Store",),
    "wasi:filesystem": (
        "wasi.filesystem.preopens:Preopens",
        "wasi.filesystem.types:DescriptorResource",
        "wasi.filesystem.types:DirectoryEntryStreamResource",
        "wasi.filesystem.types:Types",
    ),
    "wasi:http": (
        "wasi.http.fields:FieldsResource",
        "wasi.http.incoming:FutureIncomingResponseResource",
        "wasi.http.incoming:FutureTrailersResource",
        "wasi.http.incoming:IncomingBodyResource",
        "wasi.http.incoming:IncomingResponseResource",
        "wasi.http.outgoing:OutgoingRequestResource",
        "wasi.http.outgoing:RequestOptionsResource",
        "wasi.http.outgoing_body:OutgoingBodyResource",
        "wasi.http.outgoing_handler:OutgoingHandler",
        "wasi.http.serving:IncomingRequestResource",
        "wasi.http.serving:OutgoingResponseResource",
        "wasi.http.serving:ResponseOutparamResource",
        "wasi.http.types:Types",
    ),
    "wasi:io": (
        "wasi.io.error:ErrorResource",
        "wasi.io.poll:Poll",
        "wasi.io.poll:PollableResource",
        "wasi.io.streams:InputStreamResource",
        "wasi.io.streams:OutputStreamResource",
    ),
    "wasi:keyvalue": (
        "wasi.keyvalue.atomic:Atomic",
        "wasi.keyvalue.eventual:Eventual",
        "wasi.keyvalue.eventual_batch:EventualBatch",
        "wasi.keyvalue.failures:ErrorResource",
        "wasi.keyvalue.types:BucketResource",
        "wasi.keyvalue.types:IncomingValueResource",
        "wasi.keyvalue.types:OutgoingValueResource",
    ),
    "wasi:logging": ("wasi.logging.logging:Logging",),
    "wasi:random": (
        "wasi.random.random:Random",
        "wasi.random.random:Insecure",
        "wasi.random.random:InsecureSeed",
    ),
    "wasi:sockets": (
        "wasi.sockets.instance_network:InstanceNetwork",
        "wasi.sockets.ip_name_lookup:IpNameLookup",
        "wasi.sockets.ip_name_lookup:ResolveAddressStream",
        "wasi.sockets.network:NetworkErrors",
        "wasi.sockets.network:NetworkResource",
        "wasi.sockets.tcp:TcpSocketResource",
        "wasi.sockets.tcp_create_socket:TcpCreateSocket",
        "wasi.sockets.udp:IncomingDatagrams",
        "wasi.sockets.udp:OutgoingDatagrams",
        "wasi.sockets.udp:UdpSocketResource",
        "wasi.sockets.udp_create_socket:UdpCreateSocket",
    ),
}
"""
Package -> the classes that declare its interfaces, as ``module:name`` below this package.

A name of a tuple stands for the instances in it.
"""


def declaring(package: str) -> Iterator[object]:
    """The instances that declare the interfaces of a package; nothing for an unknown one."""
    for home in HOMES.get(package, ()):
        module, _, name = home.partition(":")
        found = getattr(import_module(f"golem_host.interfaces.{module}"), name)
        if isinstance(found, tuple | list):
            yield from found
        else:
            yield found()


def registry(lent: Sequence[object] = ()) -> Registry:
    """
    What guests may import, with what an embedder lends besides.

    Raises:
        DeclarationError: That cannot be lent.
    """
    made = Registry(packages=HOMES, declaring_of=declaring)
    if lent:
        from golem_host.lending.functions import lend  # noqa: PLC0415 - few hosts lend anything

        lend(made, lent, frozenset(HOMES))
    return made
