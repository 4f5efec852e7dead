"""Signature Version 4: who asks a service of AWS, in the headers of the request."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple


class Credentials(NamedTuple):
    """What the function's environment holds for as long as the container lives."""

    key: str
    secret: str
    token: str = ""

    @staticmethod
    def of_environment(environment: Mapping[str, str] = os.environ) -> "Credentials":
        """KeyError where there are none."""
        return Credentials(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            environment.get("AWS_SESSION_TOKEN", ""),
        )


class Signer:
    """Signs POSTs to `/` of one service of one region; a day's key is derived once."""

    def __init__(self, service: str, *, region: str, host: str, credentials: Credentials) -> None:
        self._service = service
        self._region = region
        self._host = host
        self._credentials = credentials
        self._day = ""
        self._key = b""

    def signed(self, target: str, body: bytes, *, kind: str, at: datetime) -> dict[str, str]:
        """The headers of a request whose action is `target` and whose body's type is `kind`."""
        stamp = f"{at:%Y%m%dT%H%M%SZ}"
        headers = {
            "content-type": kind,
            "host": self._host,
            "x-amz-date": stamp,
            "x-amz-target": target,
        }
        if self._credentials.token:
            headers["x-amz-security-token"] = self._credentials.token
        names = sorted(headers)
        lines = "\n".join(f"{name}:{headers[name]}" for name in names)
        signed = ";".join(names)
        request = f"POST\n/\n\n{lines}\n\n{signed}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
        signature = hmac.digest(self._day_key(stamp[:8]), text.encode(), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._credentials.key}/{scope}, "
            f"SignedHeaders={signed}, Signature={signature}"
        )
        return headers

    def _day_key(self, day: str) -> bytes:
        if day != self._day:
            key = f"AWS4{self._credentials.secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day, self._key = day, key
        return self._key
