"""Faults: what goes wrong with an answer, when, and how that is written. Pure, no I/O; loaded when there is one."""
