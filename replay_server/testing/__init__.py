"""What the pytest plugin does, in parts that are loaded when a test needs them."""
