package bbd.companion.paper;

import bbd.companion.anvil.UnreadableChunk;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.bukkit.ChunkSnapshot;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chunks that were changed and that the server has unloaded: it need not have written them yet. Until the file says the
 * same, what they were counts. Any thread may call.
 */
final class Leaving {
    private static final Logger LOG = LoggerFactory.getLogger(Leaving.class);
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(5);
    private final PaperWorld world;
    private final Map<ChunkPos, Last> chunks = new ConcurrentHashMap<>();

    private record Last(ChunkSnapshot blocks, long since) {}

    Leaving(PaperWorld world) {
        this.world = world;
    }

    void add(ChunkPos at, ChunkSnapshot blocks) {
        chunks.put(at, new Last(blocks, System.nanoTime()));
    }

    /** The chunk is in memory again. */
    void back(ChunkPos at) {
        chunks.remove(at);
    }

    Set<ChunkPos> chunks() {
        return Set.copyOf(chunks.keySet());
    }

    /** A chunk that is not in memory: as it was saved, or as it will be. Reads files. */
    Optional<Column> column(ChunkPos at) throws IOException {
        Last last = chunks.get(at);
        if (last == null) {
            return world.stored(at);
        }
        Column standing = world.column(last.blocks);
        Optional<Column> stored;
        try {
            stored = world.stored(at);
        } catch (UnreadableChunk error) {
            // About to be written.
            return Optional.of(standing);
        }
        char air = world.states().air();
        if (stored.orElseGet(Column::empty).stamp(air) != standing.stamp(air)) {
            return Optional.of(standing);
        }
        chunks.remove(at, last);
        return stored;
    }

    /** Forgets those that the server has written, and those that it will never write. Reads files. */
    void forget() {
        chunks.forEach((at, last) -> {
            try {
                column(at);
            } catch (IOException error) {
                LOG.warn("{} can't be read: {}", at, error.getMessage());
            }
            if (System.nanoTime() - last.since > PATIENCE_NANOS && chunks.remove(at, last)) {
                LOG.error("{} was changed and unloaded, and the server has not saved it", at);
            }
        });
    }
}
