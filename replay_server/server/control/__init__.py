"""The control API below `/__replay/`: sessions, the journal, run-time interactions, faults, explain, verify, reset."""
