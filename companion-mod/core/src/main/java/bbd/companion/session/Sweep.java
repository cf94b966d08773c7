package bbd.companion.session;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at columns whose stamp is known, some at a time and again and again, for changes that nobody told. One thread.
 */
final class Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(Sweep.class);

    private final Context disk;
    private final String name;
    private final Predicate<ChunkPos> isBeingWritten;
    private final Deque<ChunkPos> next = new ArrayDeque<>();
    private final Map<ChunkPos, Long> doubted = new HashMap<>();

    Sweep(Context disk, String name, Predicate<ChunkPos> isBeingWritten) {
        this.disk = disk;
        this.name = name;
        this.isBeingWritten = isBeingWritten;
    }

    /**
     * Looks at the next {@code most} columns, and at those that were different the last time; returns those that have
     * been different twice. An adapter tells of a change when it has been made: who looks in between must not take it
     * for one that nobody tells. Blocks on files.
     */
    List<ChunkPos> look(int most) {
        if (next.isEmpty()) {
            next.addAll(disk.known().columns());
        }
        Set<ChunkPos> some = new LinkedHashSet<>(doubted.keySet());
        for (int i = 0; i < most && !next.isEmpty(); i++) {
            some.add(next.remove());
        }
        List<ChunkPos> changed = new ArrayList<>();
        for (ChunkPos at : some) {
            if (isChangedAgain(at)) {
                changed.add(at);
            }
        }
        return changed;
    }

    private boolean isChangedAgain(ChunkPos at) {
        Long doubt = doubted.remove(at);
        Long before = disk.known().stamp(at);
        if (before == null || isBeingWritten.test(at)) {
            return false;
        }
        long now = look(at, before);
        if (now == before || isBeingWritten.test(at)) {
            return false;
        }
        if (!before.equals(doubt)) {
            doubted.put(at, before);
            return false;
        }
        return disk.known().changed(at, before, now);
    }

    /** The stamp as it is; {@code unknown} where it can't be read. */
    private long look(ChunkPos at, long unknown) {
        try {
            return ReadBack.await(disk.world().look(at)).orElseGet(Column::empty).stamp(disk.air());
        } catch (IOException error) {
            LOG.warn("{} of disk {} can't be read: {}", at, name, error.getMessage());
            return unknown;
        }
    }
}
