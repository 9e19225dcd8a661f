"""APIs that an OpenAPI description tells of: every operation, by one mechanism.

OpenAI's own description answers what no module of `endpoints` does; `--openapi` mounts others beside it.
"""
