"""Fencing and idempotency of mutating calls (specification section 11), for each fleet."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.fleet.refusal import Refusal, malformed

_MAX_KEY = 255


@dataclass(frozen=True, slots=True)
class Call:
    """One mutating call: its idempotency key, its fencing token, and a digest of its request."""

    key: str
    fence: int
    fingerprint: str

    @classmethod
    def read(cls, headers: Mapping[str, str], method: str, path: str, body: Any) -> "Call":
        """The call from its headers.

        :raises Refusal: 400, one is missing or malformed.
        """
        key, fence = headers.get("idempotency-key", ""), headers.get("x-fencing-token", "")
        if not 0 < len(key) <= _MAX_KEY:
            raise malformed(f"the header Idempotency-Key is required: 1 to {_MAX_KEY} characters")
        if not re.fullmatch(r"[0-9]{1,19}", fence):
            raise malformed("the header X-Fencing-Token is required: an integer, 0 or more")
        asked = json.dumps([method, path, body], sort_keys=True)
        return cls(key, int(fence), hashlib.sha256(asked.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a call."""

    fingerprint: str
    status: int
    body: dict[str, Any]


@dataclass(slots=True)
class Memory:
    """The highest fencing token seen, and the answers given, by idempotency key."""

    highest: int = -1
    answers: dict[str, Answer] = field(default_factory=dict)

    def admit(self, call: Call) -> Answer | None:
        """The first answer when the call is a repetition, else None.

        :raises Refusal: 412, the token is too low; 409, the key was used for another call.
        """
        if call.fence < self.highest:
            detail = f"fencing token {call.fence} is stale: {self.highest} was seen; stop working on this fleet"
            raise Refusal(412, "STALE_TOKEN", detail, highestSeen=self.highest, highestToken=self.highest)
        answer = self.answers.get(call.key)
        if answer is not None and answer.fingerprint != call.fingerprint:
            raise Refusal(409, "IDEMPOTENCY_CONFLICT", f"Idempotency-Key {call.key!r} was used for another call")
        return answer

    def see(self, fence: int) -> None:
        """Remember a token."""
        self.highest = max(self.highest, fence)
