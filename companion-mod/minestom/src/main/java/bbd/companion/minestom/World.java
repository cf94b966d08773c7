package bbd.companion.minestom;

import bbd.companion.anvil.AnvilStore;
import bbd.companion.anvil.UnreadableChunk;
import bbd.companion.blocks.BlockStates;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import net.kyori.adventure.key.Key;
import net.minestom.server.MinecraftServer;
import net.minestom.server.instance.Chunk;
import net.minestom.server.instance.ChunkLoader;
import net.minestom.server.instance.Instance;
import net.minestom.server.instance.InstanceContainer;
import net.minestom.server.registry.RegistryKey;
import net.minestom.server.world.DimensionType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A dimension over its region files: chunks are loaded from them, nothing is ever generated, and what changed is saved
 * by {@link AnvilStore}. A chunk that can't be read is an error to the core, and empty to players; it can't be changed.
 */
final class World implements WorldAdapter, ChunkLoader {
    private static final Logger LOG = LoggerFactory.getLogger(World.class);

    private final String name;
    private final AnvilStore store;
    private final BlockStates states;
    private final InstanceContainer instance;
    private final LoadedChunks loadedChunks;
    private final Map<ChunkPos, Integer> holds = new HashMap<>();
    private final Set<ChunkPos> replaced = ConcurrentHashMap.newKeySet();
    private final Set<ChunkPos> complained = ConcurrentHashMap.newKeySet();
    private final ReentrantLock saving = new ReentrantLock();
    private volatile Consumer<ChunkPos> watcher = at -> {};

    World(String name, RegistryKey<DimensionType> type, AnvilStore store, BlockStates states) {
        this.name = name;
        this.store = store;
        this.states = states;
        this.instance = new InstanceContainer(UUID.randomUUID(), type, this, Key.key(name));
        this.loadedChunks = new LoadedChunks(instance);
        instance.setChunkSupplier((in, x, z) -> new WorldChunk(in, new ChunkPos(x, z)));
        MinecraftServer.getInstanceManager().registerInstance(instance);
    }

    String name() {
        return name;
    }

    InstanceContainer instance() {
        return instance;
    }

    /** {@code told} of every column that the core writes, on the main thread. */
    void watch(Consumer<ChunkPos> told) {
        watcher = told;
    }

    /** The chunk, where it is loaded and can be read. */
    Optional<WorldChunk> loaded(ChunkPos at) {
        return Optional.ofNullable((WorldChunk) instance.getChunk(at.x(), at.z())).filter(WorldChunk::isReadable);
    }

    // Minestom's side

    @Override
    public Chunk loadChunk(Instance in, int x, int z) {
        ChunkPos at = new ChunkPos(x, z);
        Chunk there = in.getChunk(x, z);
        if (there != null) {
            // Asked for twice at once: a second object would lose what happens to the first.
            return there;
        }
        WorldChunk chunk = new WorldChunk(in, at);
        try {
            chunk.fill(saved(at));
        } catch (IOException error) {
            // Players are shown all chunks around them or none, so there must be one.
            if (complained.add(at)) {
                LOG.warn("{} in {} can't be read: {}", at, name, error.getMessage());
            }
        }
        return chunk;
    }

    private Map<Integer, char[]> saved(ChunkPos at) throws IOException {
        return replaced.contains(at) ? Map.of() : store.load(at).map(AnvilStore.Saved::sections).orElse(Map.of());
    }

    @Override
    public boolean supportsParallelLoading() {
        return true;
    }

    /** Saves what is dirty of it, as all saving does. */
    @Override
    public void saveChunk(Chunk chunk) {
        try {
            saveDirty(Set.of(new ChunkPos(chunk.getChunkX(), chunk.getChunkZ())));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    // The core's side

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
            return CompletableFuture.completedFuture(standing(at));
        } catch (IOException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    private Optional<Column> standing(ChunkPos at) throws IOException {
        Optional<WorldChunk> chunk = loaded(at);
        if (chunk.isEmpty()) {
            Optional<Column> saved = store.column(at);
            // It may have been loaded, changed and saved meanwhile.
            chunk = loaded(at);
            if (chunk.isEmpty()) {
                return saved;
            }
        }
        return chunk.get().isAir() && (replaced.contains(at) || store.column(at).isEmpty())
                ? Optional.empty()
                : Optional.of(chunk.get().column());
    }

    @Override
    public CompletableFuture<Void> hold(ChunkPos at, boolean replace) {
        synchronized (holds) {
            holds.merge(at, 1, Integer::sum);
        }
        return instance.loadChunk(at.x(), at.z())
                .thenAccept(chunk -> makeReadable((WorldChunk) chunk, replace))
                .whenComplete((nothing, error) -> {
                    if (error != null) {
                        release(at);
                    }
                });
    }

    private void makeReadable(WorldChunk chunk, boolean replace) {
        if (chunk.isReadable()) {
            return;
        }
        try {
            chunk.fill(saved(chunk.at()));
        } catch (IOException error) {
            if (!replace || !(error instanceof UnreadableChunk)) {
                throw new CompletionException(error);
            }
            replaced.add(chunk.at());
            chunk.fill(Map.of());
        }
    }

    @Override
    public void release(ChunkPos at) {
        synchronized (holds) {
            holds.computeIfPresent(at, (key, count) -> count == 1 ? null : count - 1);
        }
        loaded(at).ifPresent(WorldChunk::use);
    }

    @Override
    public Column peek(ChunkPos at) {
        return loaded(at).orElseThrow().column();
    }

    @Override
    public void put(ChunkPos at, int mask, char[][] sections) {
        loaded(at).orElseThrow().put(mask, sections);
        watcher.accept(at);
    }

    @Override
    public CompletableFuture<Void> save(Set<ChunkPos> chunks) {
        try {
            saveDirty(chunks);
            return CompletableFuture.completedFuture(null);
        } catch (IOException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    /** Saves what is dirty of all chunks. */
    void saveDirty() throws IOException {
        Set<ChunkPos> dirty = loadedChunks.dirty();
        if (!dirty.isEmpty()) {
            saveDirty(dirty);
        }
    }

    /** One at a time: what was looked at later is also written later. */
    private void saveDirty(Set<ChunkPos> chunks) throws IOException {
        saving.lock();
        try {
            Map<WorldChunk, Map<Integer, char[]>> taken = new HashMap<>();
            Map<ChunkPos, Map<Integer, char[]>> changes = new HashMap<>();
            for (ChunkPos at : chunks) {
                loaded(at).ifPresent(chunk -> {
                    Map<Integer, char[]> dirty = chunk.takeDirty();
                    taken.put(chunk, dirty);
                    if (!dirty.isEmpty()) {
                        changes.put(at, dirty);
                    }
                });
            }
            try {
                store.save(changes, Set.copyOf(replaced));
                replaced.removeAll(changes.keySet());
            } catch (IOException | RuntimeException error) {
                taken.forEach(WorldChunk::notSaved);
                throw error;
            }
        } finally {
            saving.unlock();
        }
    }

    @Override
    public BitSet unsaved(ChunkPos region) {
        return loadedChunks.unsaved(region);
    }

    @Override
    public Set<ChunkPos> unsavedRegions() {
        return loadedChunks.unsavedRegions();
    }

    @Override
    public AnvilStore files() {
        return store;
    }

    /** Forgets chunks that are saved, that nobody holds, and that no player is near. Main thread. */
    void unloadIdle() {
        // While something is being saved, a chunk that is not dirty need not be in the file yet.
        if (!saving.tryLock()) {
            return;
        }
        try {
            loadedChunks.idle().forEach(this::unload);
        } finally {
            saving.unlock();
        }
    }

    private void unload(WorldChunk chunk) {
        synchronized (holds) {
            if (!holds.containsKey(chunk.at()) && !chunk.isDirty() && !replaced.contains(chunk.at())) {
                instance.unloadChunk(chunk);
            }
        }
    }
}
