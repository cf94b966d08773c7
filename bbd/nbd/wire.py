"""Numbers and structures of the NBD protocol, under the names that its specification gives them.

Source: ``doc/proto.md`` of the NetworkBlockDevice project, sections "Protocol phases" and "Values".
All integers on the wire are big-endian.
"""

from __future__ import annotations

import struct
from typing import Final

# Magic numbers ("Newstyle negotiation", "Request message", "Simple reply message")
NBDMAGIC: Final = 0x4E42444D41474943
IHAVEOPT: Final = 0x49484156454F5054
NBD_REP_MAGIC: Final = 0x0003E889045565A9
NBD_REQUEST_MAGIC: Final = 0x25609513
NBD_SIMPLE_REPLY_MAGIC: Final = 0x67446698

# Handshake flags (server) and client flags
NBD_FLAG_FIXED_NEWSTYLE: Final = 1 << 0
NBD_FLAG_NO_ZEROES: Final = 1 << 1
NBD_FLAG_C_FIXED_NEWSTYLE: Final = 1 << 0
NBD_FLAG_C_NO_ZEROES: Final = 1 << 1

# Transmission flags
NBD_FLAG_HAS_FLAGS: Final = 1 << 0
NBD_FLAG_READ_ONLY: Final = 1 << 1
NBD_FLAG_SEND_FLUSH: Final = 1 << 2
NBD_FLAG_SEND_FUA: Final = 1 << 3
NBD_FLAG_ROTATIONAL: Final = 1 << 4
NBD_FLAG_SEND_TRIM: Final = 1 << 5
NBD_FLAG_SEND_WRITE_ZEROES: Final = 1 << 6
NBD_FLAG_SEND_DF: Final = 1 << 7
NBD_FLAG_CAN_MULTI_CONN: Final = 1 << 8
NBD_FLAG_SEND_RESIZE: Final = 1 << 9
NBD_FLAG_SEND_CACHE: Final = 1 << 10
NBD_FLAG_SEND_FAST_ZERO: Final = 1 << 11
NBD_FLAG_BLOCK_STATUS_PAYLOAD: Final = 1 << 12

# Option types
NBD_OPT_EXPORT_NAME: Final = 1
NBD_OPT_ABORT: Final = 2
NBD_OPT_LIST: Final = 3
NBD_OPT_STARTTLS: Final = 5
NBD_OPT_INFO: Final = 6
NBD_OPT_GO: Final = 7
NBD_OPT_STRUCTURED_REPLY: Final = 8
NBD_OPT_LIST_META_CONTEXT: Final = 9
NBD_OPT_SET_META_CONTEXT: Final = 10
NBD_OPT_EXTENDED_HEADERS: Final = 11

# Option reply types
NBD_REP_ACK: Final = 1
NBD_REP_SERVER: Final = 2
NBD_REP_INFO: Final = 3
NBD_REP_META_CONTEXT: Final = 4
NBD_REP_FLAG_ERROR: Final = 1 << 31
NBD_REP_ERR_UNSUP: Final = NBD_REP_FLAG_ERROR + 1
NBD_REP_ERR_POLICY: Final = NBD_REP_FLAG_ERROR + 2
NBD_REP_ERR_INVALID: Final = NBD_REP_FLAG_ERROR + 3
NBD_REP_ERR_PLATFORM: Final = NBD_REP_FLAG_ERROR + 4
NBD_REP_ERR_TLS_REQD: Final = NBD_REP_FLAG_ERROR + 5
NBD_REP_ERR_UNKNOWN: Final = NBD_REP_FLAG_ERROR + 6
NBD_REP_ERR_SHUTDOWN: Final = NBD_REP_FLAG_ERROR + 7
NBD_REP_ERR_BLOCK_SIZE_REQD: Final = NBD_REP_FLAG_ERROR + 8
NBD_REP_ERR_TOO_BIG: Final = NBD_REP_FLAG_ERROR + 9
NBD_REP_ERR_EXT_HEADER_REQD: Final = NBD_REP_FLAG_ERROR + 10

# Information types of NBD_REP_INFO
NBD_INFO_EXPORT: Final = 0
NBD_INFO_NAME: Final = 1
NBD_INFO_DESCRIPTION: Final = 2
NBD_INFO_BLOCK_SIZE: Final = 3

# Command flags
NBD_CMD_FLAG_FUA: Final = 1 << 0
NBD_CMD_FLAG_NO_HOLE: Final = 1 << 1
NBD_CMD_FLAG_DF: Final = 1 << 2
NBD_CMD_FLAG_REQ_ONE: Final = 1 << 3
NBD_CMD_FLAG_FAST_ZERO: Final = 1 << 4
NBD_CMD_FLAG_PAYLOAD_LEN: Final = 1 << 5

# Request types
NBD_CMD_READ: Final = 0
NBD_CMD_WRITE: Final = 1
NBD_CMD_DISC: Final = 2
NBD_CMD_FLUSH: Final = 3
NBD_CMD_TRIM: Final = 4
NBD_CMD_CACHE: Final = 5
NBD_CMD_WRITE_ZEROES: Final = 6
NBD_CMD_BLOCK_STATUS: Final = 7

# Error values
NBD_EPERM: Final = 1
NBD_EIO: Final = 5
NBD_ENOMEM: Final = 12
NBD_EINVAL: Final = 22
NBD_ENOSPC: Final = 28
NBD_EOVERFLOW: Final = 75
NBD_ENOTSUP: Final = 95
NBD_ESHUTDOWN: Final = 108

MAX_STRING: Final = 4096
"""Longest string in bytes ("Conventions"): export names, descriptions, error messages."""

GREETING: Final = struct.Struct(">QQH")
"""NBDMAGIC, IHAVEOPT, handshake flags."""
CLIENT_FLAGS: Final = struct.Struct(">I")
OPTION_HEADER: Final = struct.Struct(">QII")
"""IHAVEOPT, option, length of its data."""
OPTION_REPLY_HEADER: Final = struct.Struct(">QIII")
"""NBD_REP_MAGIC, option, reply type, length of its data."""
EXPORT_NAME_REPLY: Final = struct.Struct(">QH")
"""Size of the export, transmission flags; 124 zeroes follow unless NO_ZEROES was agreed on."""
EXPORT_NAME_ZEROES: Final = bytes(124)
INFO_EXPORT: Final = struct.Struct(">HQH")
"""NBD_INFO_EXPORT, size of the export, transmission flags."""
INFO_BLOCK_SIZE: Final = struct.Struct(">HIII")
"""NBD_INFO_BLOCK_SIZE, minimum, preferred and maximum block size."""
REQUEST: Final = struct.Struct(">IHH8sQI")
"""NBD_REQUEST_MAGIC, command flags, type, cookie, offset, length."""
SIMPLE_REPLY: Final = struct.Struct(">II8s")
"""NBD_SIMPLE_REPLY_MAGIC, error, cookie; the data of a successful READ follows."""
