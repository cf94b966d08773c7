package bbd.companion;

import bbd.companion.anvil.AnvilStore;
import bbd.companion.blocks.BlockStates;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import bbd.companion.blocks.InternedStates;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** A world for tests: chunks in memory over real region files. {@code failing}: saving fails with that. */
public final class MemoryWorld implements WorldAdapter {
    public final Map<ChunkPos, char[][]> loaded = new HashMap<>();
    public final Map<ChunkPos, Integer> holds = new HashMap<>();
    private final Set<ChunkPos> replaced = new HashSet<>();
    private final BlockStates states = new InternedStates(
            state -> state.name().startsWith("minecraft:") ? state : null);
    private final AnvilStore store;
    public volatile IOException failing;
    /** Claims to have saved, and has not. */
    public volatile boolean lying;

    public MemoryWorld(Path regions) {
        store = new AnvilStore(regions, states);
    }

    @Override
    public BlockStates states() {
        return states;
    }

    @Override
    public int dataVersion() {
        return AnvilStore.DATA_VERSION;
    }

    @Override
    public CompletableFuture<Optional<Column>> look(ChunkPos at) {
        try {
            synchronized (this) {
                char[][] sections = loaded.get(at);
                Optional<Column> saved = sections == null || new Column(sections).stamp(states.air()) == 0
                        ? store.column(at)
                        : Optional.empty();
                return CompletableFuture.completedFuture(
                        sections == null || new Column(sections).stamp(states.air()) == 0 && saved.isEmpty()
                                ? saved
                                : Optional.of(new Column(sections.clone())));
            }
        } catch (IOException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    @Override
    public synchronized CompletableFuture<Void> hold(ChunkPos at, boolean replace) {
        try {
            if (!loaded.containsKey(at)) {
                Optional<Column> saved;
                try {
                    saved = store.column(at);
                } catch (bbd.companion.anvil.UnreadableChunk error) {
                    if (!replace) {
                        throw error;
                    }
                    replaced.add(at);
                    saved = Optional.empty();
                }
                loaded.put(at, saved.orElseGet(Column::empty).sections());
            }
            holds.merge(at, 1, Integer::sum);
            return CompletableFuture.completedFuture(null);
        } catch (IOException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    @Override
    public synchronized void release(ChunkPos at) {
        if (holds.merge(at, -1, Integer::sum) == 0) {
            holds.remove(at);
            loaded.remove(at);
        }
    }

    @Override
    public synchronized Column peek(ChunkPos at) {
        return new Column(loaded.get(at).clone());
    }

    @Override
    public synchronized void put(ChunkPos at, int mask, char[][] sections) {
        char[][] fresh = loaded.get(at).clone();
        for (int i = 0; i < Column.SECTIONS; i++) {
            if ((mask >> i & 1) != 0) {
                fresh[i] = sections[i];
            }
        }
        loaded.put(at, fresh);
    }

    @Override
    public synchronized CompletableFuture<Void> save(Set<ChunkPos> chunks) {
        if (failing != null) {
            return CompletableFuture.failedFuture(failing);
        }
        Map<ChunkPos, Map<Integer, char[]>> all = new HashMap<>();
        for (ChunkPos at : chunks) {
            Map<Integer, char[]> sections = new TreeMap<>();
            for (int i = 0; i < Column.SECTIONS; i++) {
                sections.put(i, loaded.get(at)[i]);
            }
            all.put(at, sections);
        }
        try {
            if (!lying) {
                store.save(all, Set.copyOf(replaced));
            }
            return CompletableFuture.completedFuture(null);
        } catch (IOException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    @Override
    public BitSet unsaved(ChunkPos region) {
        return new BitSet();
    }

    @Override
    public Set<ChunkPos> unsavedRegions() {
        return Set.of();
    }

    @Override
    public AnvilStore files() {
        return store;
    }
}
