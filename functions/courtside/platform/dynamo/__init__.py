"""Tables: an engine with two implementations, tenant-bound reads, and the one transaction."""
