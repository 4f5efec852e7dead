"""All that knows AWS or the GraphQL server."""
