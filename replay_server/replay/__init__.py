"""Which answer a request gets, and why."""
