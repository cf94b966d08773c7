"""Who is let in, and in which words who is not."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from bbd.cli.companion import Companion, find_companion, parse_game
from bbd.cli.live_hosting import open_live_host
from bbd.disk.opening import Options
from bbd.errors import BbdError, Refused
from bbd.worlds.live.access import Access, make_access, read_token
from bbd.worlds.live.link import LinkLost
from bbd.worlds.live.sentences import explain
from tests.servers import free_port
from tests.worlds.live.fake_companion import TOKEN
from tests.worlds.live.live_bench import LiveBench


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("ws://127.0.0.1:7000", "127.0.0.1", 7000, False),
        ("ws://localhost", "localhost", 25590, False),
        ("ws://[::1]:7/", "::1", 7, False),
        ("wss://example.org:8443", "example.org", 8443, True),
    ],
)
def test_addresses(token_file: Path, url: str, host: str, port: int, secure: bool) -> None:
    access = make_access(url, token_file)
    assert (access.host, access.port, access.secure) == (host, port, secure)
    assert TOKEN not in repr(access)


@pytest.mark.parametrize(
    "url",
    [*("http://localhost", "localhost:25590", "ws://", "ws://h:99999", "ws://localhost/x"), "ws://me:secret@localhost"],
)
def test_what_is_no_address(token_file: Path, url: str) -> None:
    with pytest.raises(BbdError, match="is no companion's address") as error:
        make_access(url, token_file)
    assert "secret" not in str(error.value)


def test_a_token_does_not_cross_a_network_in_the_clear(token_file: Path) -> None:
    for url in ("ws://example.org", "ws://192.168.1.9:25590", "ws://localhost.example.org"):
        with pytest.raises(Refused, match="--insecure"):
            make_access(url, token_file)
        assert make_access(url, token_file, insecure=True).token == TOKEN


def test_token_files(tmp_path: Path, token_file: Path) -> None:
    assert read_token(token_file) == TOKEN
    token_file.chmod(0o640)
    with pytest.raises(BbdError, match="chmod 600"):
        read_token(token_file)
    token_file.chmod(0o600)
    token_file.write_text("secret\n")
    with pytest.raises(BbdError, match="holds no token") as error:
        read_token(token_file)
    assert "secret" not in str(error.value)
    with pytest.raises(BbdError, match="can't be read"):
        read_token(tmp_path / "none")


def test_options_that_go_together(token_file: Path) -> None:
    assert find_companion(None, None) is None
    with pytest.raises(BbdError, match="goes with --live"):
        find_companion(None, token_file)
    with pytest.raises(BbdError, match="needs --token-file"):
        find_companion("ws://localhost", None)
    with pytest.raises(BbdError, match="--ca is for wss"):
        find_companion("ws://localhost", token_file, ca=token_file)
    with pytest.raises(BbdError, match="no certificates"):
        find_companion("wss://localhost", token_file, ca=token_file)


def test_games() -> None:
    assert parse_game("example.org") == ("example.org", 25565)
    assert parse_game("example.org:7") == ("example.org", 7)
    assert parse_game("[::1]") == ("::1", 25565)


def refusal(live: LiveBench, access: Access | None = None, only: str | None = None) -> str:
    with pytest.raises(BbdError) as error:
        open_live_host(Companion(access or live.access, 1), Options(journals=live.root / "other"), only=only)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_wrong_token(live: LiveBench, caplog: pytest.LogCaptureFixture) -> None:
    wrong = "ab" * 32
    with caplog.at_level(logging.DEBUG):
        said = refusal(live, Access("127.0.0.1", live.companion.port, False, wrong))
    assert "refuses the token" in said
    assert wrong not in said + caplog.text


def test_the_token_is_in_no_log(live: LiveBench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        live.open().release()
    heard = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets.server")]
    assert not [line for line in heard if TOKEN[:40] in line]


def test_another_version(live: LiveBench) -> None:
    live.companion.manners.version = 2
    assert "speaks [2] of the bridge's protocol, and this bbd 1: update the older one" in refusal(live)


def test_no_such_disk(live: LiveBench) -> None:
    assert "has no such disk" in refusal(live, only="other")
    del live.companion.world.files["disk.json"]
    assert "bbd create --live" in refusal(live)


def test_a_disk_in_use(live: LiveBench) -> None:
    disk = live.open()
    said = refusal(live)
    assert "in use by bbd" in said
    assert "only one bbd can serve it" in said
    disk.release()


def test_a_disk_that_another_bbd_is_about_to_leave(live: LiveBench) -> None:
    live.open().release()
    leaving, live.host = live.host, None
    assert leaving is not None
    end = threading.Timer(0.3, leaving.close)
    end.start()
    live.open().release()
    end.join()


def test_a_game_that_lacks_blocks(live: LiveBench) -> None:
    live.companion.world.unknown.add("minecraft:white_concrete")
    assert "1.20.1 or later" in refusal(live)


def test_nobody_there(live: LiveBench) -> None:
    assert "is the server running" in refusal(live, Access("127.0.0.1", free_port(), False, TOKEN))


def test_a_damaged_descriptor(live: LiveBench) -> None:
    live.companion.world.files["disk.json"] = bytearray(json.dumps({"size": 1, "dimension": "x"}).encode())
    assert "damaged" in refusal(live)


def test_every_error_has_a_sentence() -> None:
    from bbd.worlds.live.codes import Code

    access = Access("localhost", 1, False, TOKEN)
    sentences = {explain(access, LinkLost("why", code)) for code in Code}
    assert all("ws://localhost:1" in sentence and TOKEN not in sentence for sentence in sentences)
    assert len(sentences) > len(Code) // 2


def test_certificates(live: LiveBench, token_file: Path, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=companion", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *subject]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=30)
    live.companion.kill()
    live.companion.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    live.companion.tls.load_cert_chain(certificate, key)
    live.companion.start()
    url = f"wss://127.0.0.1:{live.companion.port}"
    assert "certificate is not to be trusted" in refusal(live, make_access(url, token_file))
    live.companion.manners.version = 7
    trusted = make_access(url, token_file, ca=certificate)
    assert "speaks [7]" in refusal(live, trusted)
    live.companion.manners.version = 1
    assert "ws:// or wss://" in refusal(live)
    host = open_live_host(Companion(trusted, 5), Options(journals=tmp_path / "journals"))
    host.disks[0].release()
    host.close()


def test_something_else_that_listens_there(live: LiveBench) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: ws://192.0.2.1/\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def play() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        access = Access("127.0.0.1", server.sockets[0].getsockname()[1], False, TOKEN)
        said = await asyncio.to_thread(refusal, live, access)
        assert "192.0.2.1" in said or "something else" in said
        server.close()

    asyncio.run(play())
