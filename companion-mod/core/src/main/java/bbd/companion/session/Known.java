package bbd.companion.session;

import bbd.companion.blocks.ChunkPos;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What is known of a disk's columns: the stamp of each when it was seen last, and the generation of its last write. Any
 * thread may call.
 */
final class Known {
    private static final int MOST_STAMPS = 1 << 17;

    private final Map<ChunkPos, Long> generations = new ConcurrentHashMap<>();
    private final Map<ChunkPos, Sight> sights = new ConcurrentHashMap<>();

    /**
     * A column as it was seen.
     *
     * @param edits how often somebody was told to have changed it
     * @param stamp null where nobody has looked since
     */
    private record Sight(long edits, Long stamp) {}

    void written(ChunkPos at, long generation) {
        generations.put(at, generation);
    }

    /** 0 for a column that was not written. */
    long generation(ChunkPos at) {
        return generations.getOrDefault(at, 0L);
    }

    /** To be asked for before a column is looked at, see {@link #seen}. */
    long edits(ChunkPos at) {
        Sight sight = sights.get(at);
        return sight == null ? 0 : sight.edits;
    }

    /**
     * A column was looked at.
     *
     * @param edits what {@link #edits} said before: where it was edited meanwhile, what was seen may be the past
     */
    void seen(ChunkPos at, long stamp, long edits) {
        sights.compute(at, (key, sight) -> {
            if (sight == null) {
                return sights.size() < MOST_STAMPS ? new Sight(0, stamp) : null;
            }
            return sight.edits == edits ? new Sight(edits, stamp) : sight;
        });
    }

    /** Somebody has changed the column, which was told: its stamp is not known any more. */
    void edited(ChunkPos at) {
        sights.compute(at, (key, sight) -> new Sight(sight == null ? 1 : sight.edits + 1, null));
    }

    /** Null where it is not known. */
    Long stamp(ChunkPos at) {
        Sight sight = sights.get(at);
        return sight == null ? null : sight.stamp;
    }

    /** The stamp was looked at and is another one; returns whether it still was {@code before} here. */
    boolean changed(ChunkPos at, long before, long now) {
        Sight sight = sights.get(at);
        return sight != null && sights.replace(at, new Sight(sight.edits, before), new Sight(sight.edits, now));
    }

    /** Columns whose stamp is known. */
    List<ChunkPos> columns() {
        List<ChunkPos> found = new ArrayList<>();
        sights.forEach((at, sight) -> {
            if (sight.stamp != null) {
                found.add(at);
            }
        });
        return found;
    }
}
