"""A door: `python cli.py serve` from a checkout."""

from replay_server.commands import main

if __name__ == "__main__":
    main(prog_name="replay-server")
