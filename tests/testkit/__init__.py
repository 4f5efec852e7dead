"""What tests import: the virtual clock, the engine in memory, the fault proxy, factories."""
