"""
The REST API of a host: on ``control.sock`` while a process owns a state directory, and on TCP.

``routes`` is the one table: paths, parameters, bodies, replies, errors.  The web application, the
OpenAPI document and the manual's page are made from it.  ``actions`` does the work with nothing of
the web in it; ``app``, ``guard``, ``connection`` and ``server`` are the web; ``control`` binds the
socket of a state directory and imports all of that on the first connection.  ``client`` and
``remote`` are the other end: the host of another process, with the methods of ours.
"""
