package bbd.companion.paper;

import bbd.companion.anvil.AnvilStore;
import bbd.companion.anvil.WorldFolders;
import bbd.companion.server.ServerAdapter;
import bbd.companion.server.ServerInfo;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.bukkit.NamespacedKey;
import org.bukkit.Server;
import org.bukkit.World;
import org.bukkit.plugin.Plugin;

/**
 * The server as the core sees it: one of its worlds holds the disks' files, and is their overworld or whatever it is by
 * name. With the main world, all the server's worlds can hold disks, by their keys.
 */
final class PaperServer implements ServerAdapter {
    private final Plugin plugin;
    private final Server server;
    private final MainThread main;
    private final Executor workers;
    private final int saveSeconds;
    private final PaperStates states;
    private final ServerInfo info;
    private final int dataVersion;
    private final World holding;
    private final Path root;
    private final Map<String, PaperWorld> worlds = new ConcurrentHashMap<>();
    private final Map<World, String> names = new ConcurrentHashMap<>();

    /** Throws {@link IOException} where there is no such world, or it is there twice. {@link #add} the others. */
    PaperServer(Plugin plugin, String wanted, int saveSeconds, MainThread main, Executor workers) throws IOException {
        this.plugin = plugin;
        this.server = plugin.getServer();
        this.main = main;
        this.workers = workers;
        this.saveSeconds = saveSeconds;
        this.states = new PaperStates(server);
        this.info = told(server);
        this.dataVersion = dataVersion(server);
        this.holding = named(wanted);
        this.root = rootOf(holding);
        add(holding);
    }

    @SuppressWarnings("deprecation")
    private static ServerInfo told(Server server) {
        return new ServerInfo(server.getName(), server.getVersion(), server.getMinecraftVersion(),
                server.getUnsafe().getProtocolVersion());
    }

    @SuppressWarnings("deprecation")
    private static int dataVersion(Server server) {
        return server.getUnsafe().getDataVersion();
    }

    private World named(String wanted) throws IOException {
        List<World> all = server.getWorlds();
        if (wanted.isEmpty()) {
            return all.get(0);
        }
        return all.stream().filter(world -> world.getName().equals(wanted)).findFirst().orElseThrow(
                () -> new IOException("the server has no world '" + wanted + "'; it has "
                        + String.join(", ", all.stream().map(World::getName).toList())));
    }

    private static Path rootOf(World world) {
        return WorldFolders.root(folder(world));
    }

    private static Path folder(World world) {
        return world.getWorldFolder().toPath().toAbsolutePath().normalize();
    }

    /** A world of the server is there. Throws {@link IOException} where its files can't be told. */
    void add(World world) throws IOException {
        String name = dimensionOf(world);
        if (name == null || worlds.containsKey(name)) {
            return;
        }
        Path regions = WorldFolders.regions(folder(world), rootOf(world), key(world), kind(world));
        worlds.put(name, new PaperWorld(plugin, world, states, dataVersion,
                new AnvilStore(regions, states.numbers()), main, workers, saveSeconds));
        names.put(world, name);
    }

    private String dimensionOf(World world) {
        World first = server.getWorlds().get(0);
        if (holding == first) {
            return key(world);
        }
        if (world != holding) {
            return null;
        }
        return root.equals(rootOf(first)) ? key(world) : kind(world);
    }

    private static String key(World world) {
        NamespacedKey key = world.getKey();
        return key.getNamespace() + ":" + key.getKey();
    }

    private static String kind(World world) {
        return switch (world.getEnvironment()) {
            case NETHER -> "minecraft:the_nether";
            case THE_END -> "minecraft:the_end";
            default -> "minecraft:overworld";
        };
    }

    @Override
    public ServerInfo info() {
        return info;
    }

    @Override
    public Path world() {
        return root;
    }

    @Override
    public Optional<WorldAdapter> dimension(String name) {
        return Optional.ofNullable(worlds.get(name));
    }

    @Override
    public int players() {
        return server.getOnlinePlayers().size();
    }

    /** The server's own name for the world that holds the disks. */
    String holding() {
        return holding.getName();
    }

    Collection<PaperWorld> all() {
        return worlds.values();
    }

    Optional<PaperWorld> named(World world) {
        return Optional.ofNullable(names.get(world)).map(worlds::get);
    }

    /** What disks call a world of the server; nothing where none can be in it. */
    Optional<String> nameOf(World world) {
        return Optional.ofNullable(names.get(world));
    }

    Optional<World> bukkit(String dimension) {
        return Optional.ofNullable(worlds.get(dimension)).map(PaperWorld::bukkit);
    }
}
