"""The whole system in one process on one seed: docs/simulation.md."""
