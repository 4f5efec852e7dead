"""Who calls: access tokens of the court's OpenID provider, verified strictly (RFC 9068, RFC 8725).

A token is refused before anything of it is decoded when it is over 8 KB. Then: one issuer of the
settings, one of that issuer's algorithms, a key of that issuer's own set, `typ` `at+jwt`, and the
claims iss, aud, exp, iat and sub, each of its type and once. Keys are never taken from the token.
"""

import base64
import binascii
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import jwt
from jwt import PyJWK

from courtside.kernel.actor import EVERYBODY, Principal
from courtside.platform.connections import Broken, Connections
from courtside.platform.dynamo.journal import Digests
from courtside.platform.persons import person_id

MAX_TOKEN = 8_192  # bytes
SKEW = timedelta(seconds=60)  # how far an issuer's clock may be off
TOKEN_TYPES = frozenset({"at+jwt", "application/at+jwt"})
# Headers that a token may carry; `crit`, `jku`, `jwk`, `x5u` and the like would choose a key or a
# rule for their own verification.
HEADERS = frozenset({"alg", "typ", "kid"})
ALGORITHMS = frozenset({"RS256", "PS256", "ES256", "ES384", "EdDSA"})
_JWS = jwt.PyJWS(algorithms=sorted(ALGORITHMS))
REQUIRED = ("iss", "aud", "exp", "iat", "sub")
DEFAULT_CLIENT = "web"
MAX_KEYS = 65_536  # bytes of an issuer's key set
KEPT = 2_048  # verified tokens remembered by a container
KEYS_FRESH = timedelta(minutes=10)
COOLDOWN = timedelta(seconds=60)  # between two fetches of keys, whatever kids are asked for

Fetch = Callable[[str], Awaitable[Mapping[str, Any]]]


class InvalidToken(Exception):
    """The token proves nothing. `reason` is a code for the log, never part of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What an issuer's client may do: `scoped` ones only the operations that their tokens name,
    `ad_hoc` ones send documents of their own instead of trusted ones."""

    scoped: bool = True
    ad_hoc: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUp:
    """What an issuer's tokens say of a sign-in with two factors, one of them cryptographic: a
    value of `acr`, or without those, two methods in `amr` (RFC 8176) of which one is named here.
    """

    acr: frozenset[str] = frozenset()
    amr: frozenset[str] = frozenset()

    def is_met(self, claims: Mapping[str, Any]) -> bool:
        """Whether the token's sign-in was such a one; never, where the settings name nothing."""
        if self.acr:
            level = claims.get("acr")
            return isinstance(level, str) and level in self.acr
        methods = claims.get("amr")
        if not isinstance(methods, list) or not all(isinstance(one, str) for one in methods):
            return False
        return len(set(methods)) > 1 and bool(self.amr & set(methods))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """What a verified token says."""

    principal: Principal
    client: Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """A trusted issuer. Its court is fixed, or named by a claim and then one of `courts`."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    clients: Mapping[str, Client]
    court: str = ""
    court_claim: str = ""
    courts: frozenset[str] = frozenset()
    jwks: Mapping[str, Any] | None = None
    jwks_url: str = ""
    step_up: StepUp = StepUp()

    @staticmethod
    def of(settings: Mapping[str, Any]) -> "Issuer":
        """An issuer of the settings. ValueError for one that would be weaker than this file says:
        symmetric or unknown algorithms, no court, keys from a host without TLS."""
        found = Issuer(
            issuer=settings["issuer"],
            audience=settings["audience"],
            algorithms=frozenset(settings["algorithms"]),
            clients={
                name: Client(scoped=one.get("scoped", True), ad_hoc=one.get("ad_hoc", False))
                for name, one in settings.get("clients", {}).items()
            },
            court=settings.get("court", ""),
            court_claim=settings.get("court_claim", ""),
            courts=frozenset(settings.get("courts", ())),
            jwks=settings.get("jwks"),
            jwks_url=settings.get("jwks_url", ""),
            step_up=_step_up(settings.get("step_up", {})),
        )
        found.check()
        return found

    def check(self) -> None:
        """ValueError that names what is wrong with the settings."""
        if not self.algorithms or not self.algorithms <= ALGORITHMS:
            raise ValueError(f"{self.issuer}: algorithms must be among {sorted(ALGORITHMS)}")
        if bool(self.court) == bool(self.court_claim):
            raise ValueError(f"{self.issuer}: either court or court_claim")
        if self.court_claim and not self.courts:
            raise ValueError(f"{self.issuer}: court_claim needs the list of courts")
        if bool(self.jwks) == bool(self.jwks_url):
            raise ValueError(f"{self.issuer}: either jwks or jwks_url")
        if self.jwks_url and not self.jwks_url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError(f"{self.issuer}: keys are fetched by https only")
        if any(not _is_name(name) or name == "system" for name in self.clients):
            raise ValueError(f"{self.issuer}: a client's name is letters, digits, . _ -")


@dataclass(slots=True)
class _Keys:
    """One issuer's keys by kid, and when they were last asked for."""

    by_kid: Mapping[str, PyJWK]
    fetched: datetime | None = None
    tried: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Verified:
    signed_in: SignedIn
    not_before: datetime
    ends: datetime


@dataclass(slots=True)
class Identity:
    """Verifies tokens of the issuers in the settings; one of these lives as long as a container.

    `fetch` answers the JSON behind a URL of the settings; it is never given one from a token.
    """

    issuers: Mapping[str, Issuer]
    digests: Digests
    fetch: Fetch
    _keys: dict[str, _Keys] = field(default_factory=dict)
    _verified: OrderedDict[bytes, _Verified] = field(default_factory=OrderedDict)

    async def verify(self, token: str, *, now: datetime) -> SignedIn:
        """Whom the token names. InvalidToken for anything that is not exactly right at `now`."""
        if len(token) > MAX_TOKEN:
            raise InvalidToken("TOO_LONG")
        mark = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._verified.get(mark)
        if known is None or not known.not_before <= now < known.ends:
            known = self._verified[mark] = await self._check(token, now)
            if len(self._verified) > KEPT:
                self._verified.popitem(last=False)
        return known.signed_in

    async def try_keys(self) -> None:
        """Every issuer's keys can be had: LookupError where there is none of an issuer, or no
        issuer; OSError, TimeoutError or ValueError of the fetch."""
        if not self.issuers:
            raise LookupError("issuers")
        for issuer in self.issuers.values():
            if not _key_set(issuer.jwks or await self.fetch(issuer.jwks_url)):
                raise LookupError("keys")

    async def _check(self, token: str, now: datetime) -> _Verified:
        header, claims = _unverified(token)
        issuer = self.issuers.get(claims["iss"]) if isinstance(claims.get("iss"), str) else None
        if issuer is None:
            raise InvalidToken("ISSUER")
        _check_header(header, issuer)
        key = await self._key(issuer, header.get("kid"), now)
        _verify_signature(token, key, issuer)
        begins, ends = _check_claims(claims, issuer, now)
        return _Verified(self._signed_in(claims, issuer), begins, ends)

    def _signed_in(self, claims: Mapping[str, Any], issuer: Issuer) -> SignedIn:
        name = claims.get("client_id", claims.get("azp", DEFAULT_CLIENT))
        client = issuer.clients.get(name) if isinstance(name, str) else None
        if client is None:
            raise InvalidToken("CLIENT")
        court = _court(claims, issuer)
        scopes = _scopes(claims) if client.scoped else frozenset()
        if client.scoped and not scopes:
            raise InvalidToken("SCOPE")
        person = person_id(self.digests, court, issuer=issuer.issuer, subject=claims["sub"])
        strong = issuer.step_up.is_met(claims)
        principal = Principal(court=court, person=person, client=name, scopes=scopes, strong=strong)
        return SignedIn(principal=principal, client=client)

    async def _key(self, issuer: Issuer, kid: object, now: datetime) -> PyJWK:
        if not isinstance(kid, str):
            raise InvalidToken("KEY")
        keys = self._keys.get(issuer.issuer)
        if keys is None:
            keys = self._keys[issuer.issuer] = _Keys(_key_set(issuer.jwks or {}))
        if issuer.jwks_url and _is_due(keys, kid, now):
            await self._refresh(issuer, keys, now)
        if kid not in keys.by_kid:
            raise InvalidToken("KEY")
        return keys.by_kid[kid]

    async def _refresh(self, issuer: Issuer, keys: _Keys, now: datetime) -> None:
        """Fetch the issuer's keys; when that fails, those from before go on serving."""
        keys.tried = now
        try:
            keys.by_kid = _key_set(await self.fetch(issuer.jwks_url))
        except (OSError, ValueError, TimeoutError):
            return
        keys.fetched = now


def identity(
    issuers: Iterable[Mapping[str, Any]], digests: Digests, *, fetch: Fetch | None = None
) -> Identity:
    """The verifier of these settings."""
    known = [Issuer.of(settings) for settings in issuers]
    by_name = {one.issuer: one for one in known}
    return Identity(issuers=by_name, digests=digests, fetch=fetch or fetch_json)


async def fetch_json(url: str) -> Mapping[str, Any]:
    """A JSON object behind a URL, at most 64 KB, within two seconds, without redirects. OSError,
    TimeoutError or ValueError."""
    where = urlsplit(url)
    target = f"{where.path or '/'}?{where.query}" if where.query else where.path or "/"
    origin = Connections(url, most=MAX_KEYS)
    try:
        answer = await origin.send("GET", target, headers={"host": origin.host})
    except Broken as broken:
        raise OSError(str(broken)) from broken
    finally:
        origin.close()
    if answer.status != HTTPStatus.OK:
        raise OSError(f"status {answer.status}")
    return _object(answer.body)


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand in the token, to choose the issuer by."""
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():  # noqa: PLR2004
        raise InvalidToken("SHAPE")
    return _segment(parts[0]), _segment(parts[1])


def _segment(text: str) -> dict[str, Any]:
    try:
        return _object(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidToken("SHAPE") from None


def _object(raw: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8 whose names are all different. ValueError."""
    found = json.loads(raw.decode(), object_pairs_hook=_distinct, parse_constant=_no_constant)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - the one error of this function
    return found


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check_header(header: Mapping[str, Any], issuer: Issuer) -> None:
    if not header.keys() <= HEADERS:
        raise InvalidToken("HEADER")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in issuer.algorithms:
        raise InvalidToken("ALGORITHM")
    kind = header.get("typ")
    if not isinstance(kind, str) or kind.lower() not in TOKEN_TYPES:
        raise InvalidToken("TYPE")


def _verify_signature(token: str, key: PyJWK, issuer: Issuer) -> None:
    if key.algorithm_name not in issuer.algorithms:
        raise InvalidToken("ALGORITHM")
    try:
        _JWS.decode(token, key, algorithms=[key.algorithm_name])
    except (jwt.PyJWTError, ValueError, TypeError):
        raise InvalidToken("SIGNATURE") from None


def _check_claims(
    claims: Mapping[str, Any], issuer: Issuer, now: datetime
) -> tuple[datetime, datetime]:
    """From when until when the token is good, both with the skew, if it is so now."""
    if any(claims.get(name) in (None, "") for name in REQUIRED):
        raise InvalidToken("CLAIM")
    subject = claims["sub"]
    if not isinstance(subject, str) or len(subject) > 255 or not subject.isprintable():  # noqa: PLR2004
        raise InvalidToken("SUBJECT")
    audience = claims["aud"]
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or issuer.audience not in named:
        raise InvalidToken("AUDIENCE")
    begins = max(_seconds(claims, "iat"), _seconds(claims, "nbf") if "nbf" in claims else 0)
    skew = SKEW.total_seconds()
    at, ends = now.timestamp(), _seconds(claims, "exp")
    if not begins - skew <= at < ends + skew:
        raise InvalidToken("TIME")
    zone = now.tzinfo
    return datetime.fromtimestamp(begins - skew, zone), datetime.fromtimestamp(ends + skew, zone)


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**33:
        raise InvalidToken("TIME")
    return value


def _court(claims: Mapping[str, Any], issuer: Issuer) -> str:
    if issuer.court:
        return issuer.court
    court = claims.get(issuer.court_claim)
    if not isinstance(court, str) or court not in issuer.courts or court == EVERYBODY:
        raise InvalidToken("COURT")
    return court


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """The operations that the token is limited to: `<module>.<use_case>` codes of `scope`."""
    scope = claims.get("scope", "")
    words = scope.split() if isinstance(scope, str) else []
    return frozenset(word for word in words if "." in word)


def _key_set(jwks: Mapping[str, Any]) -> dict[str, PyJWK]:
    """Signing keys by kid; ValueError if there is one without a kid or of an unknown kind."""
    try:
        return {one["kid"]: PyJWK(one) for one in jwks.get("keys", ()) if one.get("use") != "enc"}
    except (jwt.PyJWTError, KeyError, AttributeError, TypeError) as wrong:
        raise ValueError("not a set of keys") from wrong


def _is_due(keys: _Keys, kid: str, now: datetime) -> bool:
    """Whether to fetch: a first time, after ten minutes, or for an unknown kid, but never within
    the cool-down of the last try."""
    if keys.tried is not None and now - keys.tried < COOLDOWN:
        return False
    return kid not in keys.by_kid or keys.fetched is None or now - keys.fetched > KEYS_FRESH


def _step_up(settings: Mapping[str, Any]) -> StepUp:
    """The settings' `step_up`; ValueError unless it is a list of `acr` or one of `amr`."""
    values = [value for named in settings.values() for value in named]
    if not settings.keys() <= {"acr", "amr"} or len(settings) > 1:
        raise ValueError("step_up names either acr or amr")
    if any(isinstance(named, str) for named in settings.values()) or not all(
        isinstance(value, str) and value for value in values
    ):
        raise ValueError("step_up names lists of values")
    return StepUp(**{name: frozenset(named) for name, named in settings.items()})


def _is_name(name: str) -> bool:
    return name.isascii() and name.replace("-", "").replace("_", "").replace(".", "").isalnum()
