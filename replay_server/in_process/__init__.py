"""A server in the process that uses it: `with ReplayServer("cassettes") as server`."""

from replay_server.in_process.entry import Entry as Entry
from replay_server.in_process.replay_server import ReplayServer as ReplayServer
from replay_server.in_process.session import ReplaySession as ReplaySession
