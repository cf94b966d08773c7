"""A small Linux machine that runs shell steps one at a time, so that a test can do things on the host in between.

QEMU emulates the processor (no KVM, no root). The host's loopback is 10.0.2.2 in the guest. The first serial port is
the kernel's console, kept for error messages; over the second one the host sends a step (base64 lines, then a line
``.``) and the guest answers with its output in the same way and its exit status.
"""

from __future__ import annotations

import base64
import contextlib
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.system import initramfs

HOST = "10.0.2.2"
"""The host's loopback, seen from the guest."""

BOOT_TIMEOUT = 120.0
MAX_STEP = 32 << 10
"""Bytes of a script: an emulated serial port has no flow control, so it must fit the guest's terminal buffers."""

_ROOT = Path(__file__).resolve().parents[2]
_INIT = f"""#!/bin/busybox sh
export PATH={initramfs.SYSTEM_PATH}:/{initramfs.BUSYBOX_FOLDER} HOME=/tmp
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t tmpfs tmp /tmp
/bin/busybox mount -t tmpfs run /run
exec </dev/console >/dev/console 2>&1
modprobe virtio_pci
modprobe virtio_net
ifconfig lo 127.0.0.1 up
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo ready >&3
while read -r length <&3; do
    head -c "$length" <&3 >/run/step
    : >/run/output
    tail -f /run/output >/dev/console &
    mirror=$!
    /bin/sh /run/step </dev/null >/run/output 2>&1 3>&-
    status=$?
    kill $mirror
    wait $mirror 2>/dev/null
    echo "$status $(wc -c </run/output)" >&3
    cat /run/output >&3
done
poweroff -f
"""


@dataclass(frozen=True)
class StepResult:
    """What one step printed (standard output and error together) and its exit status."""

    script: str
    output: str
    status: int


class VirtualMachineError(AssertionError):
    """The machine did not do what it was told; the message ends with the console's last lines."""


class VirtualMachine:
    """A running machine; leave the ``with`` block to end it.

    ``memory`` is in MiB; what the guest keeps in its tmpfs comes out of it.
    """

    def __init__(self, memory: int = 512) -> None:
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Path()
        self._channel, self._guests_end = socket.socketpair()
        self._received = b""

    def __enter__(self) -> VirtualMachine:
        self._folder = Path(tempfile.mkdtemp(prefix="bbd-vm-", dir="/tmp"))
        try:
            self._boot()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def run(self, script: str, timeout: float = 120.0, check: bool = True) -> StepResult:
        """Run a shell script in the guest; with ``check``, a status other than 0 is :class:`VirtualMachineError`."""
        self._send(script)
        result = self._answer(script, time.monotonic() + timeout)
        if check and result.status != 0:
            raise self._error(f"status {result.status} from:\n{script}\nIt printed:\n{result.output}")
        return result

    def write_file(self, path: str, content: bytes) -> None:
        """Put a small file into the guest."""
        encoded = base64.encodebytes(content).decode()
        self.run(f"base64 -d >{shlex.quote(path)} <<'END'\n{encoded}END\n")

    def console(self) -> str:
        """Everything that the kernel and the steps wrote to the console so far."""
        log = self._folder / "console"
        return log.read_text(errors="replace") if log.exists() else ""

    def _boot(self) -> None:
        kernel = unpacked_kernel()
        (vmlinuz,) = (kernel / "boot").glob("vmlinuz-*")
        archive = self._folder / "initramfs"
        archive.write_bytes(initramfs.build(kernel, _INIT))
        with self._guests_end:
            self._process = self._start_qemu(vmlinuz, archive, self._guests_end.fileno())
        if (line := self._line(time.monotonic() + BOOT_TIMEOUT)) != b"ready":
            raise self._error(f"said {line!r} where 'ready' was due")

    def _start_qemu(self, vmlinuz: Path, archive: Path, channel: int) -> subprocess.Popen[bytes]:
        qemu = shutil.which("qemu-system-x86_64")
        if qemu is None:
            raise initramfs.MissingTool(
                "qemu-system-x86_64 is missing on this machine: run scripts/install-test-packages"
            )
        command = [
            *(qemu, "-accel", "tcg", "-cpu", "max", "-m", str(self._memory), "-nodefaults", "-nographic", "-no-reboot"),
            *("-kernel", str(vmlinuz), "-initrd", str(archive)),
            *("-append", "console=ttyS0 quiet panic=-1 oops=panic random.trust_cpu=on"),
            *("-serial", f"file:{self._folder / 'console'}"),
            *("-chardev", f"socket,id=steps,fd={channel}", "-serial", "chardev:steps"),
            *("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="),
        ]
        with (self._folder / "qemu.log").open("wb") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[channel])

    def _send(self, script: str) -> None:
        step = script.encode()
        if len(step) > MAX_STEP:
            raise ValueError(f"a step of {len(step)} bytes; the serial line takes {MAX_STEP} at once")
        self._channel.settimeout(60)
        with contextlib.suppress(ConnectionError):  # the answer, which won't come, makes the better error message
            self._channel.sendall(b"%d\n%s" % (len(step), step))

    def _answer(self, script: str, deadline: float) -> StepResult:
        status, length = self._line(deadline, script).split()
        while len(self._received) < int(length):
            self._receive(deadline, script)
        output, self._received = self._received[: int(length)], self._received[int(length) :]
        return StepResult(script, output.decode(errors="replace"), int(status))

    def _line(self, deadline: float, script: str = "the boot") -> bytes:
        while b"\n" not in self._received:
            self._receive(deadline, script)
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _receive(self, deadline: float, script: str) -> None:
        self._channel.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            data = self._channel.recv(65536)
        except TimeoutError:
            raise self._error(f"is still busy, out of time, with:\n{script}") from None
        except ConnectionError:
            data = b""
        if not data:
            raise self._error(f"is gone in the middle of:\n{script}")
        self._received += data

    def _error(self, what: str) -> VirtualMachineError:
        log = (self._folder / "qemu.log").read_text(errors="replace")
        tail = "\n".join(self.console().splitlines()[-60:])
        return VirtualMachineError(f"the test machine {what}\n--- qemu\n{log}--- console\n{tail}")

    def _end(self) -> None:
        self._channel.close()
        self._guests_end.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)


def unpacked_kernel() -> Path:
    """The folder of the unpacked test kernel: ``boot/vmlinuz-*`` and ``lib/modules``."""
    script = _ROOT / "scripts" / "fetch-test-kernel"
    done = subprocess.run([script], capture_output=True, text=True, check=False, timeout=400)
    if done.returncode != 0:
        raise initramfs.MissingTool(f"no test kernel: {done.stderr.strip()}")
    return Path(done.stdout.strip())
