"""A world in a running server, reached over the bridge (companion-mod/PROTOCOL.md)."""
