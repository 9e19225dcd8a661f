"""`python -m replay_server`."""

from replay_server.commands import main

if __name__ == "__main__":
    main(prog_name="replay-server")
