"""
HTTP/1.1 on behalf of guests: h11 speaks it, one event loop in a thread of its own carries the bytes.

The thread of a guest hands over a request and two pipes, and never touches a socket; nothing here
knows a log or an interface.
"""
