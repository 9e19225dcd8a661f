"""The operations of an API, ready to answer: from the objects of the session, else made up as it describes them."""

from collections.abc import Mapping, Sequence

from replay_server.endpoints.base import Route
from replay_server.endpoints.described.answers import Answers
from replay_server.endpoints.described.api import Api, Described
from replay_server.endpoints.described.checking import check_request
from replay_server.endpoints.described.collections import Places
from replay_server.endpoints.described.handling import Handling
from replay_server.endpoints.described.request import read
from replay_server.endpoints.described.routing import Routing, Template
from replay_server.endpoints.operation import Call, Operated, Operation
from replay_server.interaction import WireResponse, WireStream


class DescribedApi:
    """An API whose operations answer."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._routing = Routing(api.operations)
        self._places = Places(api, self._routing)

    def operated(self, path: str) -> Mapping[str, Operated]:
        """By method, the operations at a path."""
        found = self._routing.find(path)
        if found is None:
            return {}
        template, parameters = found
        return {method: Operated(self._operation(template, method), parameters) for method in template.operations}

    def _operation(self, template: Template, method: str) -> Operation:
        candidates = template.operations[method]

        async def answer(call: Call) -> WireResponse | WireStream:
            return await self.answer(call, _meant(candidates, call))

        return Operation(Route(method, template.path, candidates[0].operation_id), answer, made_up=True)

    async def answer(self, call: Call, described: Described) -> WireResponse | WireStream:
        """The answer of one operation. Raises ApiError."""
        asked = read(described, call.raw, lenient=call.lenient)
        if not call.lenient:
            check_request(self.api, described, call.raw, call.parameters, asked)
        return await Handling(self._places, Answers(self.api, call, described, asked)).answer()


def _meant(candidates: Sequence[Described], call: Call) -> Described:
    """Of the operations of a path, the one whose query was asked."""
    return max(candidates, key=lambda each: len(each.query) if set(each.query) <= set(call.raw.query) else -1)
