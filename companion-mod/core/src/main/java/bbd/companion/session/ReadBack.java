package bbd.companion.session;

import bbd.companion.anvil.AnvilStore;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Confirms columns: has them saved, reads the region files again with nothing remembered of them, compares every block
 * with what stands in the running server, and forces the files to disk. It blocks; not for the main thread.
 */
final class ReadBack {
    private static final int PATIENCE_SECONDS = 60;
    private final WorldAdapter world;

    ReadBack(WorldAdapter world) {
        this.world = world;
    }

    /** Those of {@code columns} that are safe. Throws {@link IOException} where saving or forcing failed. */
    Set<ChunkPos> confirm(Map<ChunkPos, Long> columns) throws IOException {
        await(world.save(Set.copyOf(columns.keySet())));
        Set<ChunkPos> same = new HashSet<>();
        try (AnvilStore files = world.files().anew()) {
            for (ChunkPos at : columns.keySet()) {
                if (isSaved(files, at)) {
                    same.add(at);
                }
            }
            Set<ChunkPos> regions = new HashSet<>();
            same.forEach(at -> regions.add(at.region()));
            files.force(regions);
        }
        return same;
    }

    /** What stands is looked at after the save was asked for: it includes at least all that was to be confirmed. */
    private boolean isSaved(AnvilStore files, ChunkPos at) throws IOException {
        return files.holds(at, await(world.look(at)).orElseGet(Column::empty));
    }

    static <T> T await(java.util.concurrent.CompletableFuture<T> future) throws IOException {
        try {
            return future.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException error) {
            if (error.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw new IOException(error.getCause());
        } catch (TimeoutException error) {
            throw new IOException("the server did not answer for " + PATIENCE_SECONDS + " seconds", error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", error);
        }
    }
}
