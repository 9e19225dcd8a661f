"""The control API below `/__replay/`: sessions, the journal, run-time interactions, explain, verify, reset."""
