"""Recordings of other tools as exchanges: a module for each format, a pure function from bytes to what they hold."""
