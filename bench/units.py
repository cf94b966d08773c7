"""Powers of 1024."""

KIB = 1 << 10
MIB = 1 << 20
