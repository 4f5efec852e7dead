"""Pure rules that every module shares: no AWS, no GraphQL, no clock, no state."""
