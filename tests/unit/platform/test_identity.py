"""A-01: nothing but a proper access token of a trusted issuer is accepted."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from infra.local.issuer import AUDIENCE, ISSUER, DevelopmentIssuer
from jwt.algorithms import RSAAlgorithm

from courtside.platform.identity import COOLDOWN, KEPT, InvalidToken, Issuer, identity
from testkit.figures import record

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
COURT = "BJ01"
ISSUERS = DevelopmentIssuer.new()
STRANGER = DevelopmentIssuer.new()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_ISSUER = "https://rsa.example.invalid"
GOOD = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "judge",
    "court": COURT,
    "client_id": "web",
    "iat": AT - 10,
    "exp": AT + 600,
}
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": ISSUERS.kid}


class Keys:
    """Digests of a test's court."""

    def digest(self, court: str, purpose: str, data: bytes) -> bytes:
        return digest(f"{court} {purpose}".encode(), data, "sha256")


def rsa_settings() -> dict[str, Any]:
    key = json.loads(RSAAlgorithm.to_jwk(RSA.public_key()))
    return {
        "issuer": RSA_ISSUER,
        "audience": AUDIENCE,
        "algorithms": ["RS256"],
        "jwks": {"keys": [{**key, "kid": "rsa", "alg": "RS256"}]},
        "court": "GD02",
        "clients": {"web": {"scoped": False}},
    }


async def never(url: str) -> Mapping[str, Any]:
    raise AssertionError(f"fetched {url}")


def verifier():
    return identity([ISSUERS.settings([COURT]), rsa_settings()], Keys(), fetch=never)


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw_token(header: object, claims: object, *, key: Any = ISSUERS.key) -> str:
    """Any header and claims at all, under a right signature."""
    signing = f"{encoded(header)}.{encoded(claims)}"
    signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(
        signing.encode(), key
    )
    return f"{signing}.{encoded(signature)}"


def without(name: str) -> str:
    return raw_token(HEADER, {k: v for k, v in GOOD.items() if k != name})


def having(**claims: Any) -> str:
    return raw_token(HEADER, {**GOOD, **claims})


def headed(**header: Any) -> str:
    return raw_token({**HEADER, **header}, GOOD)


def signed_by_rsa(claims: Mapping[str, Any], **header: Any) -> str:
    headers = {"typ": "at+jwt", "kid": "rsa", **header}
    return jwt.encode(dict(claims), RSA, algorithm="RS256", headers=headers)


def hmac_with_public_key(public: bytes, kid: str) -> str:
    """The classic confusion: the public key's text as an HMAC secret."""
    header = {"alg": "HS256", "typ": "at+jwt", "kid": kid}
    signing = f"{encoded(header)}.{encoded(GOOD)}"
    return f"{signing}.{encoded(digest(public, signing.encode(), sha256))}"


def pem(key: Any) -> bytes:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


GENUINE = ISSUERS.sign(GOOD)
HEAD, BODY, SIGNATURE = GENUINE.split(".")
TWICE = b'{"sub":"clerk",' + json.dumps(GOOD).encode()[1:]
TWICE_HEADER = b'{"alg":"none",' + json.dumps(HEADER).encode()[1:]
JWK = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}

FORGED: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "one dot": lambda: "a.b",
    "two empty parts": lambda: "..",
    "not base64": lambda: "!!!.###.$$$",
    "not json": lambda: f"{encoded(b'x')}.{encoded(b'y')}.{SIGNATURE}",
    "array header": lambda: raw_token([1], GOOD),
    "array claims": lambda: raw_token(HEADER, [1]),
    "null claims": lambda: raw_token(HEADER, None),
    "number claims": lambda: raw_token(HEADER, 5),
    "deep claims": lambda: raw_token(HEADER, b"[" * 3000),
    "five parts as JWE": lambda: f"{HEAD}.a.b.c.d",
    "padding in parts": lambda: f"{HEAD}=.{BODY}.{SIGNATURE}",
    "trailing space inside": lambda: f"{HEAD}. {BODY}.{SIGNATURE}",
    "line break inside": lambda: f"{HEAD}.{BODY}\n.{SIGNATURE}",
    "wide digits": lambda: f"{HEAD}.{BODY}.{SIGNATURE}１",
    "ten megabytes": lambda: f"{HEAD}.{'A' * 10_000_000}.{SIGNATURE}",
    "just over 8 KB": lambda: having(pad="x" * 7000),
    "alg none": lambda: f"{encoded({**HEADER, 'alg': 'none'})}.{BODY}.",
    "alg None": lambda: f"{encoded({**HEADER, 'alg': 'None'})}.{BODY}.",
    "alg missing": lambda: raw_token({"typ": "at+jwt", "kid": ISSUERS.kid}, GOOD),
    "alg a list": lambda: headed(alg=["ES256"]),
    "alg null": lambda: headed(alg=None),
    "alg of another curve": lambda: headed(alg="ES384"),
    "alg RS256 for an EC key": lambda: headed(alg="RS256"),
    "HS256 with the public key": lambda: hmac_with_public_key(
        pem(ISSUERS.key.public_key()), ISSUERS.kid
    ),
    "HS256 with the RSA key": lambda: hmac_with_public_key(pem(RSA.public_key()), "rsa"),
    "no signature": lambda: f"{HEAD}.{BODY}.",
    "signature cut short": lambda: GENUINE[:-2],
    "claims exchanged": lambda: f"{HEAD}.{encoded({**GOOD, 'sub': 'clerk'})}.{SIGNATURE}",
    "another's key": lambda: raw_token(HEADER, GOOD, key=STRANGER.key),
    "another issuer's name": lambda: raw_token(HEADER, {**GOOD, "iss": RSA_ISSUER}),
    "another issuer's kid": lambda: headed(kid="rsa"),
    "own issuer, RSA signature": lambda: signed_by_rsa(GOOD, kid=ISSUERS.kid),
    "typ missing": lambda: raw_token({"alg": "ES256", "kid": ISSUERS.kid}, GOOD),
    "typ JWT": lambda: headed(typ="JWT"),
    "typ of an ID token": lambda: headed(typ="id_token+jwt"),
    "typ a list": lambda: headed(typ=["at+jwt"]),
    "crit unknown": lambda: headed(crit=["exp"], exp=1),
    "crit empty": lambda: headed(crit=[]),
    "b64 false": lambda: headed(b64=False, crit=["b64"]),
    "jku": lambda: headed(jku="https://attacker.invalid/keys"),
    "jwk": lambda: headed(jwk=JWK),
    "x5u": lambda: headed(x5u="https://attacker.invalid/cert"),
    "x5c": lambda: headed(x5c=["AA"]),
    "zip": lambda: headed(zip="DEF"),
    "cty JWT": lambda: headed(cty="JWT"),
    "kid missing": lambda: raw_token({"alg": "ES256", "typ": "at+jwt"}, GOOD),
    "kid a path": lambda: headed(kid="../../dev/null"),
    "kid SQL": lambda: headed(kid="x' OR '1'='1"),
    "kid a number": lambda: headed(kid=0),
    "kid null": lambda: headed(kid=None),
    "duplicate sub": lambda: raw_token(HEADER, TWICE),
    "duplicate alg": lambda: raw_token(TWICE_HEADER, GOOD),
    "claims with BOM": lambda: raw_token(HEADER, b"\xef\xbb\xbf" + json.dumps(GOOD).encode()),
    "claims in UTF-16": lambda: raw_token(HEADER, json.dumps(GOOD).encode("utf-16")),
    "NaN expiry": lambda: having(exp=float("nan")),
    "endless expiry": lambda: having(exp=float("inf")),
    "iss missing": lambda: without("iss"),
    "iss a list": lambda: having(iss=[ISSUER]),
    "iss with a slash": lambda: having(iss=ISSUER + "/"),
    "iss in capitals": lambda: having(iss=ISSUER.upper()),
    "iss with a lookalike": lambda: having(iss=ISSUER.replace("i", "і")),
    "iss empty": lambda: having(iss=""),
    "aud missing": lambda: without("aud"),
    "aud another": lambda: having(aud="elsewhere"),
    "aud empty list": lambda: having(aud=[]),
    "aud an object": lambda: having(aud={AUDIENCE: 1}),
    "aud null": lambda: having(aud=None),
    "aud longer": lambda: having(aud=AUDIENCE + "2"),
    "exp missing": lambda: without("exp"),
    "exp 61 s ago": lambda: having(exp=AT - 61),
    "exp text": lambda: having(exp=str(AT + 600)),
    "exp true": lambda: having(exp=True),
    "exp negative": lambda: having(exp=-1),
    "exp beyond time": lambda: having(exp=10**20),
    "iat missing": lambda: without("iat"),
    "iat in 61 s": lambda: having(iat=AT + 61),
    "iat text": lambda: having(iat="now"),
    "nbf in 61 s": lambda: having(nbf=AT + 61),
    "nbf text": lambda: having(nbf="now"),
    "sub missing": lambda: without("sub"),
    "sub a number": lambda: having(sub=7),
    "sub empty": lambda: having(sub=""),
    "sub with NUL": lambda: having(sub="judge\0x"),
    "sub endless": lambda: having(sub="j" * 300),
    "court missing": lambda: without("court"),
    "court of others": lambda: having(court="GD02"),
    "court of everybody": lambda: having(court="_"),
    "court a list": lambda: having(court=[COURT]),
    "client unknown": lambda: having(client_id="curl"),
    "client system": lambda: having(client_id="system"),
    "client a list": lambda: having(client_id=["web"]),
    "scoped client without scope": lambda: having(client_id="miniprogram"),
    "scoped client, idle scope": lambda: having(client_id="miniprogram", scope="openid"),
}


class TestForgedTokens:
    """A-01."""

    @pytest.mark.parametrize("name", FORGED)
    async def test_refuses(self, name):
        with pytest.raises(InvalidToken):
            await verifier().verify(FORGED[name](), now=NOW)

    def test_tries_at_least_sixty(self):
        assert len(FORGED) >= 60
        record("A-01", "forged tokens accepted", f"0 of {len(FORGED)}")

    def test_the_usual_call_would_accept_some_of_them(self):
        """A-01's broken twin: the library's call that most code has."""
        accepted = [name for name, forge in FORGED.items() if _twin_accepts(forge())]

        assert {"typ of an ID token", "exp missing", "duplicate sub", "court of others"} <= {
            *accepted
        }


def _twin_accepts(token: str) -> bool:
    options = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        jwt.decode(token, ISSUERS.key.public_key(), algorithms=["ES256"], options=options)
    except (jwt.PyJWTError, ValueError, TypeError):
        return False
    return True


class TestGoodTokens:
    async def test_names_a_person_by_issuer_and_subject_alone(self):
        verify = verifier().verify

        judge = (await verify(GENUINE, now=NOW)).principal
        again = (await verify(having(jti="2", exp=AT + 900), now=NOW)).principal
        clerk = (await verify(having(sub="clerk"), now=NOW)).principal

        assert (judge.court, judge.client, judge.scopes) == (COURT, "web", frozenset())
        assert judge == again
        assert len(judge.person) == 20
        assert judge.person != clerk.person
        assert "judge" not in judge.person.lower()

    async def test_takes_the_court_from_the_issuer_where_it_is_fixed(self):
        claims = {**GOOD, "iss": RSA_ISSUER, "court": COURT}

        found = await verifier().verify(signed_by_rsa(claims), now=NOW)

        assert found.principal.court == "GD02"

    async def test_limits_a_scoped_client_to_the_operations_that_it_names(self):
        token = having(client_id="miniprogram", scope="openid meals.place_order")

        found = await verifier().verify(token, now=NOW)

        assert found.principal.scopes == {"meals.place_order"}
        assert not found.client.ad_hoc

    @pytest.mark.parametrize(
        "claims",
        [{"exp": AT - 59}, {"iat": AT + 60}, {"nbf": AT + 60}, {"aud": ["else", AUDIENCE]}],
    )
    async def test_accepts_what_is_within_the_skew(self, claims):
        assert await verifier().verify(having(**claims), now=NOW)


class TestRememberedTokens:
    async def test_a_remembered_token_ends_with_its_expiry(self):
        verify = verifier().verify
        await verify(GENUINE, now=NOW)

        last = NOW + timedelta(seconds=659)
        assert await verify(GENUINE, now=last)
        with pytest.raises(InvalidToken):
            await verify(GENUINE, now=last + timedelta(seconds=1))

    async def test_verifies_a_signature_once(self, monkeypatch):
        known, calls = verifier(), []
        decode = jwt.PyJWS.decode
        monkeypatch.setattr(jwt.PyJWS, "decode", lambda *a, **k: calls.append(1) or decode(*a, **k))

        for _ in range(100):
            await known.verify(GENUINE, now=NOW)

        assert len(calls) == 1

    async def test_remembers_no_more_than_it_may(self):
        known = verifier()

        known._verified.update({bytes([n % 256, n // 256]): None for n in range(KEPT)})
        await known.verify(GENUINE, now=NOW)

        assert len(known._verified) == KEPT


class KeyServer:
    """An issuer's key set behind a URL."""

    def __init__(self, *issuers: DevelopmentIssuer) -> None:
        self.issuers = list(issuers)
        self.fetched = 0
        self.down = False

    async def fetch(self, url: str) -> Mapping[str, Any]:
        assert url == "https://keys.example.invalid/jwks"
        self.fetched += 1
        if self.down:
            raise OSError("down")
        return {"keys": [key for issuer in self.issuers for key in issuer.jwks["keys"]]}


def by_url(server: KeyServer):
    settings = {**ISSUERS.settings([COURT]), "jwks_url": "https://keys.example.invalid/jwks"}
    del settings["jwks"]
    return identity([settings], Keys(), fetch=server.fetch)


class TestKeysByUrl:
    """A-02."""

    async def test_follows_a_rotation_with_overlap(self):
        server, known = KeyServer(ISSUERS), None
        known = by_url(server)
        await known.verify(GENUINE, now=NOW)
        server.issuers.append(STRANGER)
        after = NOW + COOLDOWN

        assert await known.verify(STRANGER.sign(GOOD), now=after)
        assert await known.verify(ISSUERS.sign({**GOOD, "jti": "2"}), now=after)
        assert server.fetched == 2

    async def test_ten_thousand_unknown_kids_fetch_once(self):
        server = KeyServer(ISSUERS)
        known = by_url(server)

        for n in range(10_000):
            with pytest.raises(InvalidToken):
                await known.verify(f"{encoded({**HEADER, 'kid': str(n)})}.{BODY}.AA", now=NOW)

        assert server.fetched == 1
        record("A-02", "fetches for unknown kids", f"{server.fetched} for 10000")

    async def test_goes_on_with_the_keys_it_has_while_their_server_is_down(self):
        server = KeyServer(ISSUERS)
        known = by_url(server)
        await known.verify(GENUINE, now=NOW)
        server.down = True

        later = NOW + timedelta(minutes=11)
        assert await known.verify(having(exp=AT + 5000), now=later)
        assert server.fetched == 2

    @pytest.mark.parametrize("failure", [TimeoutError, OSError, ValueError])
    async def test_asks_a_slow_or_broken_server_once_a_cooldown(self, failure):
        """Keys from before serve meanwhile; a first key waits for the next time."""
        server = KeyServer(ISSUERS)
        known = by_url(server)
        await known.verify(GENUINE, now=NOW)
        fetch, tried = server.fetch, []

        async def fails(url: str) -> Mapping[str, Any]:
            tried.append(url)
            raise failure

        known.fetch = fails
        for second in range(180):
            later = NOW + timedelta(minutes=11, seconds=second)
            assert await known.verify(having(exp=AT + 5000, jti=str(second)), now=later)
        known.fetch = fetch

        assert len(tried) == 3
        assert await known.verify(having(exp=AT + 5000), now=NOW + timedelta(minutes=15))


class TestSettings:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"algorithms": ["HS256"]},
            {"algorithms": []},
            {"algorithms": ["none"]},
            {"court": COURT},
            {"court_claim": ""},
            {"courts": []},
            {"jwks": None},
            {"jwks_url": "https://both.example.invalid"},
            {"jwks": None, "jwks_url": "http://keys.example.invalid"},
            {"clients": {"system": {}}},
            {"clients": {"a~b": {}}},
        ],
    )
    def test_refuses_an_issuer_that_would_be_weaker(self, wrong):
        with pytest.raises(ValueError, match=ISSUER):
            Issuer.of({**ISSUERS.settings([COURT]), **wrong})
