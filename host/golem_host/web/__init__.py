"""Components that answer HTTP: the server around ``wasi:http/incoming-handler``."""
