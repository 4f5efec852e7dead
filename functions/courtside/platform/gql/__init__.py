"""The GraphQL edge: request context, view, payloads, scalars, connections and limits."""
