package bbd.companion.minestom;

import bbd.companion.anvil.AnvilStore;
import bbd.companion.anvil.WorldFolders;
import bbd.companion.server.ServerAdapter;
import bbd.companion.server.ServerInfo;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import net.minestom.server.MinecraftServer;
import net.minestom.server.instance.Instance;
import net.minestom.server.registry.RegistryKey;
import net.minestom.server.world.DimensionType;

/** The dimensions of the world that this server opens, and the server as the core sees it. */
final class Worlds implements ServerAdapter {
    static final String OVERWORLD = "minecraft:overworld";
    private static final String VERSION = "2026.07.01-26.1.2";
    private final Path folder;
    private final MinestomStates states = new MinestomStates();
    private final Map<String, World> worlds = new LinkedHashMap<>();

    /** Throws {@link IOException} for a world that holds a dimension twice. */
    Worlds(Path folder) throws IOException {
        this.folder = folder;
        add(OVERWORLD, DimensionType.OVERWORLD);
        add("minecraft:the_nether", DimensionType.THE_NETHER);
        add("minecraft:the_end", DimensionType.THE_END);
    }

    private void add(String name, RegistryKey<DimensionType> type) throws IOException {
        AnvilStore store = new AnvilStore(WorldFolders.regions(folder, name), states);
        worlds.put(name, new World(name, type, store, states));
    }

    MinestomStates states() {
        return states;
    }

    Iterable<World> all() {
        return worlds.values();
    }

    World overworld() {
        return worlds.get(OVERWORLD);
    }

    Optional<World> named(String name) {
        return Optional.ofNullable(worlds.get(name));
    }

    World of(Instance instance) {
        for (World world : worlds.values()) {
            if (world.instance() == instance) {
                return world;
            }
        }
        throw new IllegalArgumentException("no world of ours");
    }

    /** Saves what is dirty; tries every dimension before it throws. */
    void save() throws IOException {
        IOException failed = null;
        for (World world : worlds.values()) {
            try {
                world.saveDirty();
            } catch (IOException error) {
                failed = error;
            }
        }
        if (failed != null) {
            throw failed;
        }
    }

    @Override
    public ServerInfo info() {
        return new ServerInfo("Minestom", VERSION, MinecraftServer.VERSION_NAME, MinecraftServer.PROTOCOL_VERSION);
    }

    @Override
    public Path world() {
        return folder;
    }

    @Override
    public Optional<WorldAdapter> dimension(String name) {
        return Optional.ofNullable(worlds.get(name));
    }

    @Override
    public int players() {
        return MinecraftServer.getConnectionManager().getOnlinePlayerCount();
    }
}
