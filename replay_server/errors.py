"""Every error that the package raises. An error that can reach a client knows its HTTP status."""


class ReplayServerError(Exception):
    """The root. `status` is what a client is answered with; `source` is what `x-replay-source` then says."""

    status = 500
    source = "error"


class UsageError(ReplayServerError):
    """The command line, the environment or a file that a command was given is wrong: one line, exit code 2."""


class CassetteError(UsageError):
    """A cassette or `replay.yaml` cannot be used. The message starts with `file:line:`."""

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}:{line}: {problem}")
        self.file = file
        self.line = line
        self.problem = problem


class ApiError(ReplayServerError):
    """An error in the API's own shape: what the live API would answer.

    `type`, `param` and `code` are the fields of OpenAI's error object; None is written as null.
    """

    status = 400

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = self.status if status is None else status
        self.type = type
        self.param = param
        self.code = code


class BadRequest(ApiError):
    """The request is not one that the API takes."""


class Unauthorized(ApiError):
    """No API key, or one that is not accepted here."""

    status = 401


class NotFound(ApiError):
    """No such path, or no such object."""

    status = 404


class MethodNotAllowed(ApiError):
    """The path is there, but not for this method."""

    status = 405


class BodyTooLarge(ApiError):
    """The body is over the limit."""

    status = 413


class CassetteMiss(ApiError):
    """No recorded interaction answers this request."""

    status = 404  # not 5xx: client libraries retry those
    source = "miss"
