"""Every row of the table, in its order. To add one, name it here."""

from __future__ import annotations

from collections.abc import Sequence

from bench.checkpoints import Checkpoint
from bench.cold import ColdRead
from bench.copies import CopyIn, CopyOut
from bench.fio import Job
from bench.live_columns import LiveRead, LiveWrite
from bench.live_files import LiveFiles
from bench.live_loads import LiveLoad
from bench.loads import FioLoad, Load
from bench.saved import SavedByGame
from bench.synced import SyncedLoad
from bench.trials import Trial
from bench.under_checkpoint import UnderCheckpoint
from bench.units import KIB, MIB

OURS = ("bbd", "bbd-nibble")
CACHED = (*OURS, "nbdkit-memory", "nbdkit-file", "nbdkit-python", "qemu-nbd")
SYNCED = (*OURS, "nbdkit-file", "nbdkit-python-file", "qemu-nbd")

READ_32 = Job("randread", 4 * KIB, 32)
WRITE_32 = Job("randwrite", 4 * KIB, 32)

# Reads first: they meet a disk that was filled and then left alone.
LOADS: Sequence[Load] = (
    FioLoad("4k-read-qd1", (*CACHED, "bbd-busy-poll", "http-chunks"), Job("randread", 4 * KIB, 1)),
    FioLoad("4k-read-qd32", (*CACHED, "http-chunks"), READ_32),
    FioLoad("4k-read-2-connections", CACHED, Job("randread", 4 * KIB, 32, 2)),
    FioLoad("4k-read-4-connections", CACHED, Job("randread", 4 * KIB, 32, 4)),
    FioLoad("64k-read", CACHED, Job("randread", 64 * KIB, 8)),
    FioLoad("1m-read", (*CACHED, "http-chunks"), Job("read", MIB, 4)),
    FioLoad("4k-write-qd1", (*CACHED, "bbd-busy-poll", "http-chunks"), Job("randwrite", 4 * KIB, 1)),
    FioLoad("4k-write-qd32", (*CACHED, "http-chunks"), WRITE_32),
    FioLoad("4k-write-2-connections", CACHED, Job("randwrite", 4 * KIB, 32, 2)),
    FioLoad("4k-write-4-connections", CACHED, Job("randwrite", 4 * KIB, 32, 4)),
    FioLoad("64k-write", CACHED, Job("randwrite", 64 * KIB, 8)),
    FioLoad("1m-write", (*CACHED, "http-chunks"), Job("write", MIB, 4)),
    SyncedLoad("4k-write-flush-1", SYNCED, 4 * KIB, 1),
    SyncedLoad("4k-write-flush-32", SYNCED, 4 * KIB, 32),
    SyncedLoad("1m-write-flush-8", (*SYNCED, "bbd-parity-0"), MIB, 8),
    CopyIn("copy-in", SYNCED),
    CopyOut("copy-out", CACHED),
)
TRIALS: Sequence[Trial] = (
    ColdRead(),
    Checkpoint(),
    SavedByGame(),
    UnderCheckpoint("4k-read-under-checkpoint", READ_32),
    UnderCheckpoint("4k-write-under-checkpoint", WRITE_32),
    LiveRead(),
    LiveWrite(),
    LiveLoad("live-4k-read-cold", READ_32, cold=True),
    LiveLoad("live-1m-read-cold", Job("read", MIB, 4), cold=True),
    LiveLoad("live-4k-read-cached", READ_32),
    LiveLoad("live-1m-read-cached", Job("read", MIB, 4), known_way=True),
    LiveLoad("live-4k-write-cached", WRITE_32),
    LiveLoad("live-1m-write-cached", Job("write", MIB, 4), known_way=True),
    LiveFiles("live-files"),
    LiveFiles("live-files-settled", settled=True),
)
