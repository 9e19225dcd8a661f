"""The resources of the API, a module each, and the table that routes to them."""
