"""Decoding the columns of chunks that the game saved by machine code, which needs no GIL: an extra, by numba and
libdeflate.

It takes nothing but columns in which all is as it should be; whatever else stands in a chunk it leaves to
:mod:`~bbd.worlds.anvil.chunk`, which alone knows what that means. Nothing here but :mod:`.loading` and what it
imports at once may be imported where numba might be missing.
"""
