"""The REST API of a real host, over real sockets."""
