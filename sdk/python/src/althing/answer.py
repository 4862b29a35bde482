"""What a peer answers: its forms, its refusals, and what is no answer at all."""

import http.client
import json
import urllib.error
from typing import Any

Json = dict[str, Any]
"""A form of the interface; docs/reference/openapi.json describes each."""

ANSWER_BYTES_MAX = 64 * 1024 * 1024
EVENT_BYTES_MAX = 64 * 1024


class RequestError(Exception):
    """A request that did not succeed."""

    code: str | None = None
    """The stable code of the peer's problem, such as `nonce_reused`, if it stated one."""
    is_temporary = False
    """Whether the same request can succeed later. A transaction can be sent again without fear."""


class ProblemError(RequestError):
    """The peer refused, and said why (RFC 9457)."""

    def __init__(self, problem: Json) -> None:
        advice = f" {problem['advice']}" if problem.get("advice") else ""
        where = f" in `{problem['field']}`" if problem.get("field") else ""
        super().__init__(f"{problem['detail']} ({problem['code']}){where}{advice}")
        self.problem = problem
        self.code = problem["code"]
        self.is_temporary = problem["status"] in (429, 503, 504, 507)


class ConnectionFailed(RequestError):
    """The request could not be sent, the connection broke, or no answer came in time."""

    is_temporary = True


class FormError(RequestError):
    """The answer is not of the form it should have."""


class Unwell(RequestError):
    """The answer of a peer that is not well, asked for its health."""

    def __init__(self, health: Json) -> None:
        super().__init__("the peer is not well")
        self.health = health


def refused(path: str, refusal: urllib.error.HTTPError) -> RequestError:
    try:
        stated = json.loads(refusal.read(EVENT_BYTES_MAX))
    except (ValueError, RecursionError, OSError, http.client.HTTPException):
        stated = None
    if isinstance(stated, dict):
        if path == "/v1/health" and "state" in stated:
            return Unwell(stated)
        texts = [stated.get(name) for name in ("title", "code", "detail")]
        if all(isinstance(text, str) for text in texts) and isinstance(stated.get("status"), int):
            return ProblemError(stated)
    return FormError(f"status {refusal.code} without a problem; is this a peer?")


def read_some(read: Any, bytes_max: int) -> bytes:
    try:
        data: bytes = read(bytes_max)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ConnectionFailed(f"the connection broke: {error}") from error
    return data


def read_all(answer: http.client.HTTPResponse) -> bytes:
    data = read_some(answer.read, ANSWER_BYTES_MAX + 1)
    if len(data) > ANSWER_BYTES_MAX:
        raise FormError(f"more than {ANSWER_BYTES_MAX} bytes")
    return data


def parse(data: bytes) -> Json:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormError("the answer is not JSON") from error
    if not isinstance(value, dict):
        raise FormError("the answer is no JSON object")
    return value
