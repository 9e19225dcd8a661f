"""HTTP: the server, its pages, and the client that tries it."""
