package bbd.companion.session;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.protocol.Frames.Change;
import java.util.concurrent.CompletableFuture;

/** One column of a WRITE on its way: its blocks by the server's numbers, and the outcome to come. */
record Job(ChunkPos at, Change change, char[][] sections,
        CompletableFuture<bbd.companion.protocol.Frames.Outcome> done) {
    int mask() {
        return change.mask() | change.air();
    }
}
