"""What pynamodb brings while it is imported, and what is not needed of it (docs/adr/0041).

A cold start pays for every import, and pynamodb brings botocore for connections that are never
opened here: a fifth of a worker's.
"""

import sys
from types import ModuleType

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
