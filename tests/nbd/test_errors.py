"""Every error of the protocol as a client meets it on a socket, and that the connection goes on where it should."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator

import pytest

from bbd.nbd import wire
from bbd.nbd.export import Export
from bbd.nbd.options import MAXIMUM_BLOCK_SIZE, UNNEGOTIATED_MAXIMUM
from tests.nbd.memory_device import MemoryDevice
from tests.nbd.serving import Client, Serving, go_data, serving

SIZE = 128 << 20
WRITE, READ, TRIM = wire.NBD_CMD_WRITE, wire.NBD_CMD_READ, wire.NBD_CMD_TRIM
CACHE, ZEROES, FLUSH = wire.NBD_CMD_CACHE, wire.NBD_CMD_WRITE_ZEROES, wire.NBD_CMD_FLUSH


@pytest.fixture
def device() -> MemoryDevice:
    return MemoryDevice(SIZE)


@pytest.fixture
def served(device: MemoryDevice) -> Iterator[Serving]:
    with serving(Export("demo", "", device), Export("fixed", "", MemoryDevice(SIZE, read_only=True))) as running:
        yield running


@pytest.fixture
def client(served: Serving) -> Iterator[Client]:
    with Client(served) as connected:
        connected.go("demo")
        yield connected
        assert connected.write(4096, b"still here") == 0
        assert connected.read(4096, 10) == b"still here"


@pytest.mark.parametrize(
    ("command", "error"),
    [(READ, wire.NBD_EINVAL), (TRIM, wire.NBD_EINVAL), (CACHE, wire.NBD_EINVAL), (ZEROES, wire.NBD_ENOSPC)],
)
def test_past_the_end(client: Client, command: int, error: int) -> None:
    assert client.ask(command, SIZE - 1, 2) == error
    assert client.ask(command, (1 << 64) - 1, 1) == error


def test_write_past_the_end(client: Client, device: MemoryDevice) -> None:
    assert client.write(SIZE - 3, b"four") == wire.NBD_ENOSPC
    assert client.write(SIZE - 3, bytes(100_000)) == wire.NBD_ENOSPC
    assert not device.sections
    assert client.write(SIZE - 4, b"four") == 0


@pytest.mark.parametrize("command", [READ, WRITE, TRIM, CACHE, ZEROES])
def test_a_length_of_zero(client: Client, command: int) -> None:
    assert client.ask(command, 0, 0) == wire.NBD_EINVAL


@pytest.mark.parametrize("command", [7, 8, 0x1234])
def test_commands_not_known(client: Client, command: int) -> None:
    assert client.ask(command, 0, 4096) == wire.NBD_EINVAL


def test_flags_not_known(client: Client, device: MemoryDevice) -> None:
    for flag in (wire.NBD_CMD_FLAG_DF, wire.NBD_CMD_FLAG_NO_HOLE, wire.NBD_CMD_FLAG_PAYLOAD_LEN, 1 << 15):
        assert client.ask(READ, 0, 1, flags=flag) == wire.NBD_EINVAL
        assert client.write(0, b"no", flags=flag) == wire.NBD_EINVAL
    assert not device.sections


@pytest.mark.parametrize("command", [FLUSH, TRIM, CACHE, ZEROES])
def test_fua_goes_with_every_command(client: Client, command: int) -> None:
    assert client.ask(command, 0, 0 if command == FLUSH else 4096, flags=wire.NBD_CMD_FLAG_FUA) == 0


def test_fua_goes_with_reads(client: Client) -> None:
    assert client.write(8192, b"forced", flags=wire.NBD_CMD_FLAG_FUA) == 0
    assert client.ask(READ, 8192, 6, flags=wire.NBD_CMD_FLAG_FUA) == 0
    assert client.receive(6) == b"forced"


def test_flush_with_a_range(client: Client) -> None:
    assert client.ask(FLUSH, 0, 1) == wire.NBD_EINVAL


def test_changes_of_a_read_only_export(served: Serving) -> None:
    with Client(served) as client:
        client.go("fixed")
        assert client.write(0, b"no") == wire.NBD_EPERM
        assert client.write(0, bytes(300_000)) == wire.NBD_EPERM
        assert client.ask(TRIM, 0, 4096) == wire.NBD_EPERM
        assert client.ask(ZEROES, 0, 4096) == wire.NBD_EPERM
        assert client.ask(FLUSH) == 0
        assert client.read(0, 5) == bytes(5)


def test_oversized_requests(served: Serving, device: MemoryDevice) -> None:
    for infos, longest in (((), UNNEGOTIATED_MAXIMUM), ((wire.NBD_INFO_BLOCK_SIZE,), MAXIMUM_BLOCK_SIZE)):
        with Client(served) as client:
            client.go("demo", *infos)
            assert client.ask(READ, 0, longest + 1) == wire.NBD_EINVAL
            assert client.write(0, bytes(longest + 1)) == wire.NBD_EINVAL
            assert not device.sections
            assert client.read(1, longest) == bytes(longest)
            assert client.write(3, b"\1" * longest) == 0
            assert client.read(2, longest)[:3] == b"\0\1\1"
            device.sections.clear()


def test_more_than_the_maximum_of_data_may_be_trimmed_and_zeroed(client: Client) -> None:
    assert client.ask(TRIM, 0, SIZE) == 0
    assert client.ask(ZEROES, 0, SIZE) == 0
    assert client.ask(CACHE, 0, SIZE) == 0


def test_a_bad_magic_ends_the_connection_after_what_came_before(served: Serving) -> None:
    with Client(served) as client:
        client.go()
        client.request(FLUSH, cookie=5)
        client.send(b"x" * 28)
        assert client.reply() == (0, 5)
        assert client.at_end()


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (errno.EPERM, wire.NBD_EPERM),
        (errno.EROFS, wire.NBD_EPERM),
        (errno.EIO, wire.NBD_EIO),
        (errno.ENOMEM, wire.NBD_ENOMEM),
        (errno.EINVAL, wire.NBD_EINVAL),
        (errno.ENOSPC, wire.NBD_ENOSPC),
        (errno.EDQUOT, wire.NBD_ENOSPC),
        (errno.EFBIG, wire.NBD_ENOSPC),
        (errno.ESHUTDOWN, wire.NBD_ESHUTDOWN),
        (errno.ENOENT, wire.NBD_EIO),
        (errno.EOVERFLOW, wire.NBD_EIO),
        (errno.EOPNOTSUPP, wire.NBD_EIO),
        (None, wire.NBD_EIO),
    ],
)
@pytest.mark.parametrize("miss", [False, True])
def test_failures_of_the_device(
    client: Client, device: MemoryDevice, raised: int | None, error: int, miss: bool
) -> None:
    device.miss = miss
    device.failure = OSError("no number") if raised is None else OSError(raised, "as told")
    for command in (READ, TRIM, CACHE, ZEROES):
        assert client.ask(command, 0, 4096) == error
    assert client.ask(FLUSH) == error
    assert client.write(0, b"data") == error
    assert client.write(0, bytes(200_000)) == error
    device.failure = None


@pytest.mark.parametrize("miss", [False, True])
def test_a_fault_of_ours_is_an_io_error_and_is_logged(
    client: Client, device: MemoryDevice, miss: bool, caplog: pytest.LogCaptureFixture
) -> None:
    device.miss = miss
    device.failure = ZeroDivisionError("a bug")
    with caplog.at_level(logging.ERROR, "bbd.nbd"):
        assert client.ask(READ, 0, 4096) == wire.NBD_EIO
        assert client.write(0, b"data") == wire.NBD_EIO
    device.failure = None
    faults = [record for record in caplog.records if record.name == "bbd.nbd"]
    assert len(faults) == 2
    assert all(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in faults)


def test_option_errors(served: Serving) -> None:
    with Client(served) as client:
        client.hello()
        for option, data, error in (
            (wire.NBD_OPT_STARTTLS, b"", wire.NBD_REP_ERR_UNSUP),
            (wire.NBD_OPT_STRUCTURED_REPLY, b"", wire.NBD_REP_ERR_UNSUP),
            (wire.NBD_OPT_SET_META_CONTEXT, bytes(50), wire.NBD_REP_ERR_UNSUP),
            (wire.NBD_OPT_EXTENDED_HEADERS, b"", wire.NBD_REP_ERR_UNSUP),
            (12345, bytes(1_000_000), wire.NBD_REP_ERR_UNSUP),
            (wire.NBD_OPT_LIST, b"data", wire.NBD_REP_ERR_INVALID),
            (wire.NBD_OPT_GO, b"data", wire.NBD_REP_ERR_INVALID),
            (wire.NBD_OPT_INFO, go_data("nowhere"), wire.NBD_REP_ERR_UNKNOWN),
            (wire.NBD_OPT_GO, go_data("nowhere"), wire.NBD_REP_ERR_UNKNOWN),
            (wire.NBD_OPT_GO, go_data("x" * 5000), wire.NBD_REP_ERR_TOO_BIG),
            (wire.NBD_OPT_GO, bytes(1_000_000), wire.NBD_REP_ERR_TOO_BIG),
        ):
            assert client.option(option, data)[0][0] == error
        assert [reply for reply, _ in client.option(wire.NBD_OPT_LIST)] == [2, 2, 1]
        assert client.option(wire.NBD_OPT_ABORT) == [(wire.NBD_REP_ACK, b"")]
        assert client.at_end()


def test_handshakes_that_end_without_a_reply(served: Serving) -> None:
    name = wire.OPTION_HEADER.pack(wire.IHAVEOPT, wire.NBD_OPT_EXPORT_NAME, 7) + b"nowhere"
    for flags, data in ((3, name), (4, b""), (3, b"GET / HTTP/1.1\r\n")):
        with Client(served) as client:
            client.hello(flags)
            if data:
                client.send(data)
            assert client.at_end()


@pytest.mark.parametrize("flags", [1, 3])
def test_export_name(served: Serving, flags: int) -> None:
    with Client(served, tcp=True) as client:
        client.hello(flags)
        client.send(wire.OPTION_HEADER.pack(wire.IHAVEOPT, wire.NBD_OPT_EXPORT_NAME, 4) + b"demo")
        size, _ = wire.EXPORT_NAME_REPLY.unpack(client.receive(10))
        assert size == SIZE
        if flags == 1:
            assert client.receive(124) == bytes(124)
        assert client.read(0, 3) == bytes(3)
