package bbd.companion.session;

import bbd.companion.blocks.ChunkPos;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What is known of a disk's columns: the stamp of each when it was seen last, and the generation of its last write. */
final class Known {
    private static final int MOST_STAMPS = 1 << 17;

    private final Map<ChunkPos, Long> generations = new ConcurrentHashMap<>();
    private final Map<ChunkPos, Long> stamps = new ConcurrentHashMap<>();

    void written(ChunkPos at, long generation) {
        generations.put(at, generation);
    }

    /** 0 for a column that was not written. */
    long generation(ChunkPos at) {
        return generations.getOrDefault(at, 0L);
    }

    void seen(ChunkPos at, long stamp) {
        if (stamps.size() < MOST_STAMPS || stamps.containsKey(at)) {
            stamps.put(at, stamp);
        }
    }

    /** The stamp is not known any more. */
    void forget(ChunkPos at) {
        stamps.remove(at);
    }

    /** Null where it is not known. */
    Long stamp(ChunkPos at) {
        return stamps.get(at);
    }

    /** Returns whether the stamp was still {@code before}. */
    boolean changed(ChunkPos at, long before, long now) {
        return stamps.replace(at, before, now);
    }

    /** Columns whose stamp is known. */
    Set<ChunkPos> columns() {
        return stamps.keySet();
    }
}
