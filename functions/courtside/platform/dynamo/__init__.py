"""Tables: an engine with two implementations, tenant-bound reads, and the one transaction."""

from courtside.platform.lean import spare_connections

spare_connections()  # before any item class is imported
