"""Recording: scripts, the upstream, and the recorder that makes cassettes of both."""
