"""
Programs that try every operation on sockets in every state, and print what each gives.

``args[0]`` is the port of a server on loopback, ``args[1]`` one at which nobody listens.
"""

from __future__ import annotations

from typing import Final

BINDINGS: Final = """
def ipv4(host, port):
    address = tuple(map(int, host.split(".")))
    return network.IpSocketAddress_Ipv4(network.Ipv4SocketAddress(port, address))

def code(call, *arguments):
    # An `error-code` as in WIT, what a stream failed with, or what came of it.
    try:
        return call(*arguments)
    except Err as error:
        if hasattr(error.value, "name"):
            return error.value.name.lower().replace("_", "-")
        failed = getattr(error.value, "value", None)
        return "closed" if failed is None else failed.to_debug_string()

V4, V6 = network.IpAddressFamily.IPV4, network.IpAddressFamily.IPV6
NET = instance_network.instance_network()
THERE = ipv4("127.0.0.1", int(args[0]))
NOWHERE = ipv4("127.0.0.1", int(args[1])) if args[1:] else None
HERE = ipv4("127.0.0.1", 0)

def tcp_socket(*done):
    s = tcp_create_socket.create_tcp_socket(V4)
    for each in done:
        each(s)
    return s

def connected():
    s = tcp_socket(lambda s: s.start_connect(NET, THERE))
    s.subscribe().block()
    return s, *s.finish_connect()
"""
"""The bindings of ``wasi:sockets`` used directly: what a program in C would call."""

TCP_TABLE: Final = f"""{BINDINGS}
def bind(s):
    s.start_bind(NET, HERE)

def finish_bind(s):
    s.finish_bind()

def listen(s):
    s.start_listen()

def connect(s):
    s.start_connect(NET, THERE)

def refused(s):
    s.start_connect(NET, NOWHERE)
    s.subscribe().block()
    code(s.finish_connect)

BOUND = (bind, finish_bind)
KEPT = []

def connected_only():
    s, *streams = connected()
    KEPT.append(streams)
    return s

STATES = {{
    "unbound": lambda: tcp_socket(),
    "binding": lambda: tcp_socket(bind),
    "bound": lambda: tcp_socket(*BOUND),
    "to-listen": lambda: tcp_socket(*BOUND, listen),
    "listening": lambda: tcp_socket(*BOUND, listen, lambda s: s.finish_listen()),
    "connecting": lambda: tcp_socket(connect),
    "connected": connected_only,
    "refused": lambda: tcp_socket(refused),
}}
OPERATIONS = {{
    "start-bind": lambda s: s.start_bind(NET, HERE),
    "start-bind-multicast": lambda s: s.start_bind(NET, ipv4("224.0.0.1", 0)),
    "finish-bind": lambda s: s.finish_bind(),
    "start-connect": lambda s: s.start_connect(NET, THERE),
    "start-connect-port-0": lambda s: s.start_connect(NET, HERE),
    "start-listen": lambda s: s.start_listen(),
    "finish-listen": lambda s: s.finish_listen(),
    "accept": lambda s: s.accept(),
    "local-address": lambda s: s.local_address(),
    "remote-address": lambda s: s.remote_address(),
    "is-listening": lambda s: "yes" if s.is_listening() else "no",
    "backlog-0": lambda s: s.set_listen_backlog_size(0),
    "backlog-5": lambda s: s.set_listen_backlog_size(5),
    "keep-alive": lambda s: s.keep_alive_enabled(),
    "keep-alive-idle-0": lambda s: s.set_keep_alive_idle_time(0),
    "hop-limit-0": lambda s: s.set_hop_limit(0),
    "hop-limit-5": lambda s: s.set_hop_limit(5),
    "buffer-0": lambda s: s.set_send_buffer_size(0),
    "shutdown": lambda s: s.shutdown(tcp.ShutdownType.BOTH),
    "finish-connect": lambda s: s.finish_connect(),
}}
for name, operation in OPERATIONS.items():
    found = []
    for state, make in STATES.items():
        s = make()
        if name == "finish-connect" and state == "connecting":
            s.subscribe().block()
        given = code(operation, s)
        found.append(given if isinstance(given, str) else "ok")
        KEPT.append((s, given))
    print(name, *found)
"""

UDP_TABLE: Final = f"""{BINDINGS}
def udp_socket(*done):
    s = udp_create_socket.create_udp_socket(V4)
    for each in done:
        each(s)
    return s

KEPT = []
BOUND = (lambda s: s.start_bind(NET, HERE), lambda s: s.finish_bind())
STATES = {{
    "unbound": lambda: udp_socket(),
    "binding": lambda: udp_socket(BOUND[0]),
    "bound": lambda: udp_socket(*BOUND),
    "streaming": lambda: udp_socket(*BOUND, lambda s: KEPT.append(s.stream(None))),
    "connected": lambda: udp_socket(*BOUND, lambda s: KEPT.append(s.stream(THERE))),
}}
OPERATIONS = {{
    "start-bind": lambda s: s.start_bind(NET, HERE),
    "finish-bind": lambda s: s.finish_bind(),
    "local-address": lambda s: s.local_address(),
    "remote-address": lambda s: s.remote_address(),
    "hop-limit": lambda s: s.unicast_hop_limit(),
    "hop-limit-0": lambda s: s.set_unicast_hop_limit(0),
    "hop-limit-5": lambda s: s.set_unicast_hop_limit(5),
    "buffer-0": lambda s: s.set_receive_buffer_size(0),
}}
for name, operation in OPERATIONS.items():
    found = []
    for make in STATES.values():
        s = make()
        given = code(operation, s)
        found.append(given if isinstance(given, str) else "ok")
        KEPT.append((s, given))
    print(name, *found)

def stream_to(s, remote):
    return "ok" if isinstance(code(s.stream, remote), tuple) else code(s.stream, remote)

s = udp_socket()
print("stream", stream_to(s, None), stream_to(udp_socket(BOUND[0]), None))
s = udp_socket(*BOUND)
print("stream-port-0", stream_to(s, HERE))
print("stream-ipv6", stream_to(s, network.IpSocketAddress_Ipv6(
    network.Ipv6SocketAddress(9, 0, (0,) * 7 + (1,), 0))))
incoming, outgoing = s.stream(THERE)

def permits():
    # A new socket may take a moment until it can be written to, and permits nothing before.
    with outgoing.subscribe() as writable:
        writable.block()
    return outgoing.check_send()

def send(*datagrams):
    permits()
    return code(outgoing.send, [udp.OutgoingDatagram(*each) for each in datagrams])

print("send", send((b"a", None)), send((b"a", THERE)), send((b"a", NOWHERE)), send())
print("send-large", send((bytes(65508), None)))
print("receive-0", code(incoming.receive, 0))
other = udp_socket(*BOUND)
incoming, outgoing = other.stream(None)
print("send-nowhere", send((b"a", None)), send((b"a", HERE)))
print("check-send", permits() > 0)
"""
