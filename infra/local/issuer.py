"""The development issuer: signs tokens as a court's OpenID provider would.

It exists only under `make run` and in tests; no deployed function can be given its key.
"""

import json
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "https://issuer.development.invalid"
AUDIENCE = "courtside"
ALGORITHM = "ES256"
DAY = timedelta(days=1)
STRONG = "two-factor"  # the acr by which this issuer vouches for two factors
CLIENTS = {
    "web": {"scoped": False, "ad_hoc": True},
    "phone": {"scoped": False},
    "miniprogram": {"scoped": True},
}


class DevelopmentIssuer:
    """One ES256 key and what can be done with it."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, *, issuer: str = ISSUER) -> None:
        self.key = key
        self.issuer = issuer
        public = json.loads(ECAlgorithm.to_jwk(key.public_key()))
        self.kid = f"{public['x'][:8]}"
        self.jwks = {"keys": [{**public, "kid": self.kid, "alg": ALGORITHM, "use": "sig"}]}

    @staticmethod
    def new(*, issuer: str = ISSUER) -> "DevelopmentIssuer":
        """An issuer with a key of its own, kept nowhere."""
        return DevelopmentIssuer(ec.generate_private_key(ec.SECP256R1()), issuer=issuer)

    @staticmethod
    def kept_in(file: Path) -> "DevelopmentIssuer":
        """The issuer whose key is in `file`, readable by its owner alone, made at its first use."""
        if not file.is_file():
            key = ec.generate_private_key(ec.SECP256R1())
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as out:  # noqa: PTH123 - of a descriptor
                out.write(ECAlgorithm.to_jwk(key))
        found = ECAlgorithm.from_jwk(file.read_text("utf-8"))
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{file} holds no private key")
        return DevelopmentIssuer(found)

    def settings(self, courts: Iterable[str]) -> dict[str, Any]:
        """What the API's settings say of this issuer, for those courts."""
        return {
            "issuer": self.issuer,
            "audience": AUDIENCE,
            "algorithms": [ALGORITHM],
            "jwks": self.jwks,
            "court_claim": "court",
            "courts": sorted(courts),
            "clients": CLIENTS,
            "step_up": {"acr": [STRONG]},
        }

    def token(  # noqa: PLR0913 - each is one claim
        self,
        subject: str,
        *,
        court: str,
        now: datetime,
        lasts: timedelta = DAY,
        client: str = "web",
        scope: str = "",
        acr: str = STRONG,
    ) -> str:
        """An access token of `subject` in `court` from `now`, of a strong sign-in unless `acr` says
        otherwise."""
        begins = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "court": court,
            "client_id": client,
            "acr": acr,
            "iat": begins,
            "exp": begins + int(lasts.total_seconds()),
        }
        return self.sign({**claims, "scope": scope} if scope else claims)

    def sign(self, claims: dict[str, Any]) -> str:
        """Any claims at all, signed; tests forge with it."""
        headers = {"typ": "at+jwt", "kid": self.kid}
        return jwt.encode(claims, self.key, algorithm=ALGORITHM, headers=headers)
