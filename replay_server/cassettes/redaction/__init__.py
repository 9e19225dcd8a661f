"""Redaction: secrets out of requests, answers and streams, before matching and before saving. Pure, no I/O."""
