package bbd.companion.session;

import bbd.companion.anvil.AnvilStore;
import bbd.companion.anvil.UnreadableChunk;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Confirms columns: has them saved, reads the region files again with nothing remembered of them, compares every block
 * with what stands in the running server, and forces the files to disk. It blocks; not for the main thread.
 */
final class ReadBack {
    private static final int PATIENCE_SECONDS = 60;
    private static final int LOOKS_AT_ONCE = 32;
    private static final int UNREADABLE_MILLIS = 200;
    private final WorldAdapter world;

    ReadBack(WorldAdapter world) {
        this.world = world;
    }

    /** Those of {@code columns} that are safe. Throws {@link IOException} where saving or forcing failed. */
    Set<ChunkPos> confirm(Map<ChunkPos, Long> columns) throws IOException {
        await(world.save(Set.copyOf(columns.keySet())));
        Set<ChunkPos> same = new HashSet<>();
        List<ChunkPos> all = List.copyOf(columns.keySet());
        try (AnvilStore files = world.files().anew()) {
            for (int i = 0; i < all.size(); i += LOOKS_AT_ONCE) {
                same.addAll(saved(files, all.subList(i, Math.min(all.size(), i + LOOKS_AT_ONCE))));
            }
            Set<ChunkPos> regions = new HashSet<>();
            same.forEach(at -> regions.add(at.region()));
            files.force(regions);
        }
        return same;
    }

    /**
     * What stands is looked at after the save was asked for: it includes at least all that was to be confirmed. Many are
     * asked for at once, since a server may answer once a tick only.
     */
    private Set<ChunkPos> saved(AnvilStore files, List<ChunkPos> some) throws IOException {
        Map<ChunkPos, CompletableFuture<Optional<Column>>> standing = new LinkedHashMap<>();
        some.forEach(at -> standing.put(at, world.look(at)));
        Set<ChunkPos> same = new HashSet<>();
        for (ChunkPos at : some) {
            // Not kept: columns are large.
            if (isSaved(files, at, await(standing.remove(at)).orElseGet(Column::empty))) {
                same.add(at);
            }
        }
        return same;
    }

    /** A server may be about to write the chunk, and what stood there be gone: that passes, damage does not. */
    private boolean isSaved(AnvilStore files, ChunkPos at, Column now) throws IOException {
        try {
            return files.holds(at, now);
        } catch (UnreadableChunk first) {
            pause();
            try (AnvilStore again = world.files().anew()) {
                return again.holds(at, now);
            }
        }
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(UNREADABLE_MILLIS);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", error);
        }
    }

    static <T> T await(CompletableFuture<T> future) throws IOException {
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
