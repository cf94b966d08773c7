package bbd.companion.paper;

import bbd.companion.anvil.AnvilStore;
import bbd.companion.anvil.UnreadableChunk;
import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import bbd.companion.blocks.InternedStates;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.bukkit.Chunk;
import org.bukkit.NamespacedKey;
import org.bukkit.World;
import org.bukkit.block.Block;
import org.bukkit.entity.Player;
import org.bukkit.event.world.ChunkUnloadEvent;
import org.bukkit.plugin.Plugin;

/**
 * A world of a server that saves as the real one does: when asked it remembers what stands, and writes it to the region
 * files afterwards ({@code lagging}: only when {@link #write} is called). Its chunks are the main thread's alone.
 */
final class FakeWorld implements World {
    final FakeServer server;
    final Map<ChunkPos, String[][]> loaded = new ConcurrentHashMap<>();
    final Set<ChunkPos> tickets = ConcurrentHashMap.newKeySet();
    final List<Player> players = new ArrayList<>();
    volatile boolean lagging;
    /** Loads nothing, and says so with null, as the real one does. */
    volatile boolean refusing;
    volatile int generated;
    volatile int saves;
    /** How long the placing of the first block of a column takes, in milliseconds. */
    volatile int slow;
    /** The columns that were written, by tick. */
    final Map<Long, Set<ChunkPos>> written = new ConcurrentHashMap<>();
    private final String name;
    private final Path folder;
    private final Environment environment;
    private final AnvilStore store;
    private final InternedStates states = new InternedStates(state -> state);
    private final Map<ChunkPos, String[][]> unwritten = new HashMap<>();

    FakeWorld(FakeServer server, String name, Path folder, Path regions, Environment environment) {
        this.server = server;
        this.name = name;
        this.folder = folder;
        this.environment = environment;
        this.store = new AnvilStore(regions, states);
    }

    /** The region files as the server left them. */
    AnvilStore files() {
        return store.anew();
    }

    FakeBlock block(int x, int y, int z) {
        return new FakeBlock(this, x, y, z);
    }

    String get(int x, int y, int z) {
        String[] section = chunk(new ChunkPos(x >> 4, z >> 4))[y >> 4];
        return section == null ? FakeData.AIR : section[(y & 15) << 8 | (z & 15) << 4 | x & 15];
    }

    /** Changes a block and tells nobody. */
    void set(int x, int y, int z, String data) {
        String[][] chunk = chunk(new ChunkPos(x >> 4, z >> 4));
        if (chunk[y >> 4] == null) {
            chunk[y >> 4] = new String[Column.BLOCKS];
            java.util.Arrays.fill(chunk[y >> 4], FakeData.AIR);
        }
        chunk[y >> 4][(y & 15) << 8 | (z & 15) << 4 | x & 15] = data;
    }

    /** The blocks of a chunk as they are now. */
    static String[][] copy(String[][] sections) {
        String[][] copy = new String[sections.length][];
        for (int i = 0; i < copy.length; i++) {
            copy[i] = sections[i] == null ? null : sections[i].clone();
        }
        return copy;
    }

    void place(FakeBlock block, String data, boolean physics) {
        server.requireMain();
        if (physics) {
            throw new AssertionError("physics for " + block);
        }
        ChunkPos at = new ChunkPos(block.x() >> 4, block.z() >> 4);
        if (!tickets.contains(at)) {
            throw new AssertionError(at + " is written and not held");
        }
        if (written.computeIfAbsent(server.ticks, tick -> ConcurrentHashMap.newKeySet()).add(at)) {
            FakeServer.sleep(slow);
        }
        set(block.x(), block.y(), block.z(), data);
    }

    /** The blocks of a chunk in memory, by section. */
    String[][] chunk(ChunkPos at) {
        return loaded.computeIfAbsent(at, missing -> {
            throw new AssertionError(missing + " would be loaded by the main thread");
        });
    }

    /** Loads a chunk as the game does: what it can't read it makes anew. */
    void load(ChunkPos at) {
        loaded.computeIfAbsent(at, missing -> {
            String[][] sections = new String[Column.SECTIONS][];
            try {
                String[][] waiting = waiting(at);
                if (waiting != null) {
                    return waiting;
                }
                char[][] saved = files().column(at).orElseGet(() -> {
                    generated++;
                    return Column.empty();
                }).sections();
                for (int i = 0; i < saved.length; i++) {
                    sections[i] = saved[i] == null ? null : texts(saved[i]);
                }
            } catch (UnreadableChunk error) {
                generated++;
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
            return sections;
        });
    }

    private synchronized String[][] waiting(ChunkPos at) {
        return unwritten.get(at);
    }

    private String[] texts(char[] numbers) {
        String[] texts = new String[numbers.length];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = states.state(numbers[i]).toString();
        }
        return texts;
    }

    /** The server has no more use for a chunk. Main thread. */
    void unload(ChunkPos at) {
        unload(at, true);
    }

    /** {@code unsaved}: whether anything in it needs to be written. */
    void unload(ChunkPos at, boolean unsaved) {
        server.requireMain();
        if (tickets.contains(at)) {
            throw new AssertionError(at + " is held");
        }
        server.manager.call(new ChunkUnloadEvent(new FakeChunk(this, at), unsaved));
        String[][] last = loaded.remove(at);
        if (unsaved) {
            synchronized (this) {
                unwritten.put(at, last);
            }
        }
        if (!lagging) {
            write();
        }
    }

    @Override
    public void save() {
        server.requireMain();
        saves++;
        synchronized (this) {
            loaded.forEach((at, sections) -> unwritten.put(at, copy(sections)));
        }
        if (!lagging) {
            write();
        }
    }

    /** Writes what the server was asked to save. */
    synchronized void write() {
        Map<ChunkPos, Map<Integer, char[]>> all = new HashMap<>();
        unwritten.forEach((at, sections) -> {
            Map<Integer, char[]> numbers = new TreeMap<>();
            for (int i = 0; i < sections.length; i++) {
                numbers.put(i, sections[i] == null ? null : numbers(sections[i]));
            }
            all.put(at, numbers);
        });
        try {
            store.save(all, new HashSet<>(all.keySet()));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        unwritten.clear();
    }

    private char[] numbers(String[] texts) {
        char[] numbers = new char[texts.length];
        for (int i = 0; i < texts.length; i++) {
            numbers[i] = states.number(BlockState.parse(texts[i]));
        }
        return numbers;
    }

    @Override
    public Block getBlockAt(int x, int y, int z) {
        return block(x, y, z);
    }

    @Override
    public Chunk getChunkAt(int x, int z) {
        server.requireMain();
        chunk(new ChunkPos(x, z));
        return new FakeChunk(this, new ChunkPos(x, z));
    }

    @Override
    public CompletableFuture<Chunk> getChunkAtAsync(int x, int z, boolean gen) {
        server.requireMain();
        CompletableFuture<Chunk> done = new CompletableFuture<>();
        // Some ticks later, as it is.
        server.later(() -> {
            if (!refusing) {
                load(new ChunkPos(x, z));
            }
            done.complete(refusing ? null : new FakeChunk(this, new ChunkPos(x, z)));
        });
        return done;
    }

    @Override
    public boolean isChunkLoaded(int x, int z) {
        server.requireMain();
        return loaded.containsKey(new ChunkPos(x, z));
    }

    @Override
    public boolean addPluginChunkTicket(int x, int z, Plugin plugin) {
        server.requireMain();
        if (!plugin.isEnabled()) {
            throw new IllegalStateException("plugin is not enabled");
        }
        chunk(new ChunkPos(x, z));
        return tickets.add(new ChunkPos(x, z));
    }

    @Override
    public boolean removePluginChunkTicket(int x, int z, Plugin plugin) {
        server.requireMain();
        return tickets.remove(new ChunkPos(x, z));
    }

    @Override
    public List<Player> getPlayers() {
        return players;
    }

    @Override
    public File getWorldFolder() {
        return folder.toFile();
    }

    @Override
    public String getName() {
        return name;
    }

    @Override
    public Environment getEnvironment() {
        return environment;
    }

    @Override
    public int getMinHeight() {
        return environment == Environment.NORMAL ? -64 : 0;
    }

    @Override
    public int getMaxHeight() {
        return environment == Environment.NORMAL ? 320 : 256;
    }

    @Override
    public NamespacedKey getKey() {
        return new NamespacedKey("minecraft", name.equals("world") ? "overworld" : name);
    }
}
