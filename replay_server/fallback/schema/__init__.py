"""Values that are valid against a JSON Schema, readable, and related to the prompt."""

from replay_server.fallback.schema.maker import require_sound, value
from replay_server.schema.problem import SchemaError

__all__ = ["SchemaError", "require_sound", "value"]
