package bbd.companion.session;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Frames.Standing;
import bbd.companion.protocol.Indices;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The columns of an open disk on their way to its client. */
final class Reading {
    private static final ThreadLocal<byte[][]> ROOM = ThreadLocal
            .withInitial(() -> new byte[Column.SECTIONS][Indices.BLOCKS]);

    private final Context disk;

    Reading(Context disk) {
        this.disk = disk;
    }

    /** Answers a READ; {@code answered} is called just before. Its columns are shared out among the threads. */
    void read(Frames.Read frame, Runnable answered) {
        List<CompletableFuture<ByteBuffer>> all = new ArrayList<>();
        for (Frames.Wanted wanted : frame.columns()) {
            CompletableFuture<ByteBuffer> one = new CompletableFuture<>();
            disk.workers().read(() -> look(wanted).thenAccept(one::complete));
            all.add(one);
        }
        CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).thenRunAsync(() -> {
            List<ByteBuffer> columns = all.stream().map(CompletableFuture::join).toList();
            answered.run();
            disk.outbox().send(Frames.columns(frame.request(), disk.handle(), columns));
        }, disk.workers().readers());
    }

    private CompletableFuture<ByteBuffer> look(Frames.Wanted wanted) {
        ChunkPos at = new ChunkPos(wanted.x(), wanted.z());
        long edits = disk.known().edits(at);
        CompletableFuture<Optional<Column>> looked;
        try {
            looked = disk.world().look(at);
        } catch (RuntimeException error) {
            looked = CompletableFuture.failedFuture(error);
        }
        // What a server's own thread completes is not to be translated there.
        return looked.isDone()
                ? looked.handle((found, error) -> told(at, wanted.mask(), edits, found, error))
                : looked.handleAsync((found, error) -> told(at, wanted.mask(), edits, found, error),
                        disk.workers().readers());
    }

    private ByteBuffer told(ChunkPos at, int mask, long edits, Optional<Column> found, Throwable error) {
        if (error != null) {
            disk.stats().errors.add(1);
            return Frames.entry(Standing.unreadable(at.x(), at.z(), Failures.why(error)));
        }
        return Frames.entry(found.map(column -> standing(at, mask, edits, column))
                .orElseGet(() -> Standing.absent(at.x(), at.z())));
    }

    /** Its sections may be memory that the thread uses again for the next column. */
    private Standing standing(ChunkPos at, int mask, long edits, Column column) {
        byte[][] sections = new byte[Column.SECTIONS][];
        for (int i = 0; i < Column.SECTIONS; i++) {
            if ((mask >> i & 1) != 0 && !Column.isAir(column.sections()[i], disk.air())) {
                sections[i] = disk.palette().toIndices(column.sections()[i], ROOM.get()[i]);
            }
        }
        disk.stats().read.add(Integer.bitCount(mask));
        long stamp = column.stamp(disk.air());
        disk.known().seen(at, stamp, edits);
        return new Standing(at.x(), at.z(), Frames.Status.PRESENT, stamp, disk.known().generation(at), sections, "");
    }
}
