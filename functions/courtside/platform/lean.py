"""What two libraries do while they are imported, and what is not needed of it (docs/adr/0041).

A cold start pays for every import. pynamodb brings botocore for connections that are never opened
here; aiohttp reads the machine's certificates twice, before anybody speaks TLS. Both together take
a third of a worker's cold start.
"""

import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_CONNECTIONS = {
    "pynamodb.connection": ("Connection", "TableConnection"),
    "pynamodb.connection.base": ("Connection", "MetaTable", "OperationSettings"),
    "pynamodb.connection.table": ("TableConnection",),
}


def spare_connections() -> None:
    """Let pynamodb's item classes be imported without its connections: using one is a TypeError.

    Harmless where the real ones are there already.
    """
    for name, classes in _CONNECTIONS.items():
        module = ModuleType(name, "Left out: the tables are reached by platform/dynamo/aio.py.")
        for each in classes:
            setattr(module, each, type(each, (_LeftOut,), {}))
        sys.modules.setdefault(name, module)


class _LeftOut:
    def __init__(self, *_: object, **__: object) -> None:
        raise TypeError(f"{type(self).__name__} is left out: item classes never speak to a table")


@contextmanager
def late_certificates() -> Iterator[None]:
    """TLS contexts made inside the block read the machine's certificates at their first use.

    Until then they trust nobody, so that whatever goes wrong fails closed.
    """
    usual = ssl.SSLContext.load_default_certs
    ssl.SSLContext.load_default_certs = _later  # type: ignore[assignment,method-assign]
    ssl.SSLContext.set_default_verify_paths = _later  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        ssl.SSLContext.load_default_certs = usual  # type: ignore[method-assign]
        del ssl.SSLContext.set_default_verify_paths  # the inherited one again


class _LateContext(ssl.SSLContext):
    """A context that loads the machine's certificates when a connection is wrapped in it."""

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        self._load()
        return self.wrap_bio(*args, **kwargs)

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        self._load()
        return self.wrap_socket(*args, **kwargs)

    def _load(self) -> None:
        self.__class__ = ssl.SSLContext  # type: ignore[assignment]
        if self.verify_mode is not ssl.CERT_NONE:
            self.load_default_certs()


def _later(context: ssl.SSLContext, *_: object) -> None:
    context.__class__ = _LateContext
