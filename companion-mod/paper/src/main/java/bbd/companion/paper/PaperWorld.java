package bbd.companion.paper;

import bbd.companion.anvil.AnvilStore;
import bbd.companion.anvil.UnreadableChunk;
import bbd.companion.blocks.BlockStates;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.bukkit.Chunk;
import org.bukkit.ChunkSnapshot;
import org.bukkit.World;
import org.bukkit.plugin.Plugin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One of the server's worlds. What is in memory is asked of the server, on its main thread; what is not is read from the
 * region files, which the server alone writes.
 */
final class PaperWorld implements WorldAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(PaperWorld.class);
    private static final int WIDTH = 16;

    private final World world;
    private final PaperStates states;
    private final int dataVersion;
    private final AnvilStore store;
    private final MainThread main;
    private final Executor workers;
    private final Saver saver;
    private final Leaving leaving = new Leaving(this);
    private final Tickets tickets;
    private final Set<ChunkPos> touched = ConcurrentHashMap.newKeySet();
    private volatile Consumer<ChunkPos> watcher = at -> {};

    PaperWorld(Plugin plugin, World world, PaperStates states, int dataVersion, AnvilStore store, MainThread main,
            Executor workers, int saveSeconds) {
        this.world = world;
        this.states = states;
        this.dataVersion = dataVersion;
        this.store = store;
        this.main = main;
        this.workers = workers;
        this.tickets = new Tickets(plugin, world, main, leaving::back);
        this.saver = new Saver(world, main, saveSeconds);
    }

    World bukkit() {
        return world;
    }

    Saver saver() {
        return saver;
    }

    Leaving leaving() {
        return leaving;
    }

    /** {@code told} of every column that the core writes, on the main thread. */
    void watch(Consumer<ChunkPos> told) {
        watcher = told;
    }

    @Override
    public BlockStates states() {
        return states.numbers();
    }

    @Override
    public int dataVersion() {
        return dataVersion;
    }

    @Override
    public AnvilStore files() {
        return store;
    }

    // Looking

    @Override
    public CompletableFuture<Optional<Column>> look(ChunkPos at) {
        return main.call(() -> world.isChunkLoaded(at.x(), at.z()) ? snapshot(at) : null)
                .thenApplyAsync(loaded -> {
                    try {
                        return loaded == null ? leaving.column(at) : standing(at, column(loaded));
                    } catch (IOException error) {
                        throw new CompletionException(error);
                    }
                }, workers);
    }

    /** A chunk in memory that is air all over and in no file was made up by the server. */
    private Optional<Column> standing(ChunkPos at, Column column) throws IOException {
        return column.stamp(states().air()) == 0 && !isInFile(at) ? Optional.empty() : Optional.of(column);
    }

    private boolean isInFile(ChunkPos at) throws IOException {
        try (AnvilStore files = store.anew()) {
            return files.present(at.region()).get(at.index());
        }
    }

    /** The column as it was saved. */
    Optional<Column> stored(ChunkPos at) throws IOException {
        try (AnvilStore files = store.anew()) {
            return files.column(at);
        }
    }

    private ChunkSnapshot snapshot(ChunkPos at) {
        return world.getChunkAt(at.x(), at.z()).getChunkSnapshot(false, false, false);
    }

    /** The disk's sections of a snapshot. Any thread. */
    Column column(ChunkSnapshot snapshot) {
        return new Column(sections(snapshot, Column.ALL));
    }

    private char[][] sections(ChunkSnapshot snapshot, int mask) {
        char[][] sections = new char[Column.SECTIONS][];
        for (int i = 0; i < sections(); i++) {
            if ((mask >> i & 1) != 0 && !snapshot.isSectionEmpty(i)) {
                sections[i] = section(snapshot, i);
            }
        }
        return sections;
    }

    /** How many sections from y 0 on the world has. */
    private int sections() {
        return Math.min(Column.SECTIONS, world.getMaxHeight() / WIDTH);
    }

    private char[] section(ChunkSnapshot snapshot, int index) {
        char[] numbers = new char[Column.BLOCKS];
        for (int i = 0; i < Column.BLOCKS; i++) {
            numbers[i] = states.number(snapshot.getBlockData(x(i), WIDTH * index + y(i), z(i)));
        }
        return numbers;
    }

    private static int x(int block) {
        return block & 15;
    }

    private static int y(int block) {
        return block >> 8;
    }

    private static int z(int block) {
        return block >> 4 & 15;
    }

    // Holding

    @Override
    public CompletableFuture<Void> hold(ChunkPos at, boolean replace) {
        return main.call(() -> world.isChunkLoaded(at.x(), at.z())).thenComposeAsync(loaded -> {
            try {
                if (!loaded) {
                    requireReadable(at, replace);
                }
            } catch (IOException error) {
                return CompletableFuture.failedFuture(error);
            }
            return main.compose(() -> tickets.take(at));
        }, workers);
    }

    /** The game would make a chunk that it can't read anew, and save that over it. */
    private void requireReadable(ChunkPos at, boolean replace) throws IOException {
        try {
            leaving.column(at);
        } catch (UnreadableChunk error) {
            if (!replace) {
                throw error;
            }
        }
    }

    @Override
    public void release(ChunkPos at) {
        main.call(() -> {
            tickets.release(at);
            return null;
        });
    }

    /** Main thread: while the plugin stops nothing is loaded any more. */
    void stop() {
        tickets.stop();
    }

    // Writing

    @Override
    public Column peek(ChunkPos at) {
        return column(snapshot(at));
    }

    @Override
    public void put(ChunkPos at, int mask, char[][] wanted) {
        Chunk chunk = world.getChunkAt(at.x(), at.z());
        char[][] before = sections(chunk.getChunkSnapshot(false, false, false), mask);
        char air = states().air();
        for (int i = 0; i < sections(); i++) {
            if ((mask >> i & 1) != 0) {
                for (int block = 0; block < Column.BLOCKS; block++) {
                    char now = wanted[i] == null ? air : wanted[i][block];
                    if (now != (before[i] == null ? air : before[i][block])) {
                        chunk.getBlock(x(block), WIDTH * i + y(block), z(block)).setBlockData(states.data(now), false);
                    }
                }
            }
        }
        touched.add(at);
        watcher.accept(at);
    }

    /** Somebody changed a block. */
    void edited(ChunkPos at) {
        touched.add(at);
    }

    /** Main thread: the server is about to unload a chunk, {@code unsaved}: and will write it. */
    void unloading(Chunk chunk, boolean unsaved) {
        ChunkPos at = new ChunkPos(chunk.getX(), chunk.getZ());
        // Where it is gone already, asking for its blocks would load it again.
        if (touched.remove(at) && unsaved && world.isChunkLoaded(at.x(), at.z())) {
            leaving.add(at, chunk.getChunkSnapshot(false, false, false));
        }
    }

    // Saving

    @Override
    public CompletableFuture<Void> save(Set<ChunkPos> chunks) {
        return saver.save();
    }

    /** Those in which something was changed since they were loaded, as far as the file has no entry of theirs. */
    @Override
    public BitSet unsaved(ChunkPos region) {
        BitSet found = new BitSet();
        for (ChunkPos at : changed()) {
            if (at.region().equals(region)) {
                found.set(at.index());
            }
        }
        try (AnvilStore files = store.anew()) {
            found.andNot(files.present(region));
        } catch (IOException error) {
            LOG.warn("region {} {} of {} can't be read: {}", region.x(), region.z(), world.getName(),
                    error.getMessage());
        }
        return found;
    }

    @Override
    public Set<ChunkPos> unsavedRegions() {
        Set<ChunkPos> regions = new HashSet<>();
        changed().forEach(at -> regions.add(at.region()));
        regions.removeIf(region -> unsaved(region).isEmpty());
        return regions;
    }

    private Set<ChunkPos> changed() {
        Set<ChunkPos> all = new HashSet<>(touched);
        all.addAll(leaving.chunks());
        return all;
    }
}
