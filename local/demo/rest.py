"""The upgrade API of the running stack, as the demonstration calls it; a refusal becomes one clear line."""

import time
from collections.abc import Mapping
from typing import Any

import httpx

from local.errors import LocalError

Json = dict[str, Any]

BASE = "/api/v1/registry"
_AWAY_SECONDS = 60
_POLL_SECONDS = 0.5


class Rest:
    """A client with a token. Reads wait for a server that is away, because an upgrade goes on without it."""

    def __init__(self, url: str, token: str) -> None:
        """`url` such as http://localhost:8084."""
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=f"{url}{BASE}", headers=headers, timeout=30, trust_env=False)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Json:
        """Send the request once.

        :raises LocalError: no answer, or the answer is a refusal.
        """
        try:
            return _body(self._http.post(path, json=body))
        except httpx.TransportError as error:
            raise LocalError(f"POST {path}: no answer ({error})") from None

    def get(self, path: str, params: Mapping[str, int] | None = None) -> Json:
        """Read, and wait up to 60 s for a server that is away.

        :raises LocalError: no answer for 60 s, or the answer is a refusal.
        """
        deadline = time.monotonic() + _AWAY_SECONDS
        while True:
            try:
                answer = self._http.get(path, params=params)
                if answer.status_code != 503 or time.monotonic() > deadline:
                    return _body(answer)
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise LocalError(f"GET {path}: no answer for {_AWAY_SECONDS} s ({error})") from None
            time.sleep(_POLL_SECONDS)


def _body(answer: httpx.Response) -> Json:
    try:
        body: Json = answer.json()
    except ValueError:
        body = {}
    if answer.is_success:
        return body
    what = f"{answer.request.method} {answer.request.url.path}"
    raise LocalError(f"{what}: {answer.status_code} {body.get('code', '')} {body.get('detail', '')}".rstrip())
