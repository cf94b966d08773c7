package bbd.companion.session;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Frames.Standing;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The columns of an open disk on their way to its client. */
final class Reading {
    private final Context disk;

    Reading(Context disk) {
        this.disk = disk;
    }

    /** Answers a READ; {@code answered} is called just before. */
    void read(Frames.Read frame, Runnable answered) {
        disk.workers().read(() -> {
            List<CompletableFuture<Standing>> all = new ArrayList<>();
            for (Frames.Wanted wanted : frame.columns()) {
                all.add(look(wanted));
            }
            CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).whenCompleteAsync((nothing, error) -> {
                List<Standing> columns = all.stream().map(CompletableFuture::join).toList();
                answered.run();
                disk.outbox().send(Frames.write(new Frames.Columns(frame.request(), disk.handle(), columns)));
            }, disk.workers().readers());
        });
    }

    private CompletableFuture<Standing> look(Frames.Wanted wanted) {
        ChunkPos at = new ChunkPos(wanted.x(), wanted.z());
        CompletableFuture<Optional<Column>> looked;
        try {
            looked = disk.world().look(at);
        } catch (RuntimeException error) {
            looked = CompletableFuture.failedFuture(error);
        }
        return looked.handleAsync((found, error) -> {
            if (error != null) {
                disk.stats().errors.add(1);
                return Standing.unreadable(at.x(), at.z(), Failures.why(error));
            }
            return found.map(column -> standing(at, wanted.mask(), column))
                    .orElseGet(() -> Standing.absent(at.x(), at.z()));
        }, disk.workers().readers());
    }

    private Standing standing(ChunkPos at, int mask, Column column) {
        byte[][] sections = new byte[Column.SECTIONS][];
        for (int i = 0; i < Column.SECTIONS; i++) {
            if ((mask >> i & 1) != 0 && !Column.isAir(column.sections()[i], disk.air())) {
                sections[i] = disk.palette().toIndices(column.sections()[i]);
            }
        }
        disk.stats().read.add(Integer.bitCount(mask));
        long stamp = column.stamp(disk.air());
        disk.known().seen(at, stamp);
        return new Standing(at.x(), at.z(), Frames.Status.PRESENT, stamp, disk.known().generation(at), sections, "");
    }
}
