"""What each operation of the REST API does, with nothing of the web in it."""
