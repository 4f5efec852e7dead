"""People at their screens: the operations under `graphql/operations`, sent as clients send them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from courtside.platform.gql.view import View
from testkit.app import TestApp
from testkit.graphql import Answer, Client, Watched, serve, sign_in

OPERATIONS = Path(__file__).parents[2] / "graphql" / "operations"


@cache
def document(operation: str) -> str:
    """The text of the one file of that operation."""
    (file,) = OPERATIONS.glob(f"*/{operation}.graphql")
    return file.read_text("utf-8")


@dataclass(slots=True, kw_only=True)
class Screens:
    """The API of one test's application, for whoever sits down at it."""

    app: TestApp
    view: View
    watched: Watched

    def of(self, staff_no: str | None, *, court: str, language: str = "zh-CN") -> "Screen":
        """The screen of somebody who signed in just now, or (None) of nobody."""
        if staff_no is None:
            return Screen(client=Client(view=self.view, language=language))
        client = sign_in(self.app, self.view, staff_no, court=court)
        client.language = language
        return Screen(client=client)


@dataclass(slots=True, kw_only=True)
class Screen:
    """One signed-in client."""

    client: Client

    async def show(self, operation: str, **variables: Any) -> Answer:
        """Run a query by the id of its document."""
        return await self.client.trusted(document(operation), variables)

    async def ask(self, operation: str, given: Mapping[str, Any]) -> Answer:
        """Run whichever it is: a query with these variables, a mutation with this input."""
        if document(operation).startswith("mutation"):
            return await self.do(operation, given)
        return await self.show(operation, **given)

    async def do(
        self, operation: str, given: Mapping[str, Any], *, key: str = "key-00000001"
    ) -> Answer:
        """Run a mutation by the id of its document, with its one input."""
        return await self.show(operation, input={"idempotencyKey": key, **given})


def screens(app: TestApp) -> Screens:
    """The API on a test's application."""
    view, watched = serve(app)
    return Screens(app=app, view=view, watched=watched)
