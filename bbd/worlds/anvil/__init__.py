"""Offline Minecraft worlds: Anvil region files, chunks, level.dat and the session lock."""
