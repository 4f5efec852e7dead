"""A plain hello-world of the same stack, one item out of a table: the floor of the cold start."""

import os

import strawberry
from aws_lambda_powertools import Logger, Metrics
from mangum import Mangum
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from strawberry.asgi import GraphQL

logger = Logger(service="hello")
metrics = Metrics(namespace="hello", service="hello")


class Greeting(Model):
    class Meta:
        table_name = "courtside-bench-records"
        region = "cn-north-1"
        host = os.environ["COURTSIDE_DYNAMODB"]

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return Greeting.get("BENCH#HELLO", "world").sk


handler = Mangum(GraphQL(strawberry.Schema(Query)), lifespan="off")
