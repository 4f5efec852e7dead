"""The actor item's key and the check on it, which stores of every module add to their writes.

A decision that rests on somebody's grants is written only while those grants are as they were read
(design: approvals, assets, minors' data, role grants, other people's money).
"""

from courtside.kernel.actor import Actor
from courtside.platform.dynamo.values import Check, Key, Op, Write

SORT = "ACTOR"


def actor_partition(person: str) -> str:
    """The partition of a person's one item, within the court."""
    return f"PEOPLE#ACTOR#{person}"


def still_granted(actor: Actor) -> list[Write]:
    """Check that the actor's grants are those that were read; nothing to check for the system,
    which has no item. It fails as Stale: the use case decides again, and is then refused."""
    if actor.principal.is_system:
        return []
    return [
        Write(
            table="records",
            key=Key(f"{actor.court}#{actor_partition(actor.person)}", SORT),
            checks=(Check("grants_version", Op.EQ, actor.grants_version),),
            by="grants",
        )
    ]
