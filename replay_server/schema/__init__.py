"""JSON Schemas: whether one makes sense, and whether a value is valid against it."""
