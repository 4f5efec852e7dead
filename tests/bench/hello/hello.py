"""A plain hello-world of the same stack: what the cold start is measured against."""

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
        table_name = "greetings"
        region = "cn-north-1"

    name = UnicodeAttribute(hash_key=True)


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return Greeting("world").name


handler = Mangum(GraphQL(strawberry.Schema(Query)), lifespan="off")
