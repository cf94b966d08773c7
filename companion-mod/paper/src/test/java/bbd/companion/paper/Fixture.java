package bbd.companion.paper;

import bbd.companion.Companion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.bukkit.World;

/** A server with a world that holds the disk "demo", and the plugin in it. */
final class Fixture implements AutoCloseable {
    static final String OVERWORLD = "minecraft:overworld";
    final FakeServer server = new FakeServer();
    final FakeWorld world;
    final BbdPlugin plugin = new BbdPlugin();
    final Path folder;
    final Path data;
    final List<String> log = new CopyOnWriteArrayList<>();

    Fixture(Path folder) throws IOException {
        this.folder = folder;
        this.data = folder.resolve("plugins/bbd");
        Path root = folder.resolve("world");
        Files.createDirectories(root.resolve("bbd"));
        Files.createFile(root.resolve("level.dat"));
        Files.writeString(root.resolve("bbd/demo.json"), descriptor("demo", "byte", 0));
        world = new FakeWorld(server, "world", root, root.resolve("region"), World.Environment.NORMAL);
        server.worlds.add(world);
        plugin.give(server, data.toFile(), logger());
    }

    static String descriptor(String name, String codec, int origin) {
        return """
                {"format": 1, "name": "%s", "size": 4194304, "codec": "%s", "palette": "palette256",
                 "layout": {"name": "hilbert"}, "origin": [%d, 0], "dimension": "minecraft:overworld", "parity": 2,
                 "edits": "repair", "id": "00112233-4455-6677-8899-aabbccddeeff", "clean": true, "epoch": 0,
                 "journal": null, "compat": [], "ro_compat": [], "incompat": []}""".formatted(name, codec, origin);
    }

    private Logger logger() {
        Logger logger = Logger.getAnonymousLogger();
        logger.setUseParentHandlers(false);
        logger.addHandler(new Handler() {
            @Override
            public void publish(LogRecord line) {
                log.add(line.getLevel() + " " + line.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        });
        return logger;
    }

    /** Writes the configuration; the bridge takes any port. */
    Fixture with(String... lines) throws IOException {
        Files.createDirectories(data);
        Files.writeString(data.resolve("config.yml"), "port: 0\n" + String.join("\n", lines) + "\n");
        return this;
    }

    Fixture start() {
        server.run(() -> plugin.setEnabled(true));
        return this;
    }

    Companion companion() {
        return plugin.running().companion();
    }

    PaperWorld adapter() {
        return (PaperWorld) plugin.running().worlds().dimension(OVERWORLD).orElseThrow();
    }

    /** Ticks until something is so. */
    void until(java.util.function.BooleanSupplier so) {
        for (int i = 0; !so.getAsBoolean(); i++) {
            if (i == 2000) {
                throw new AssertionError("it does not come");
            }
            server.tick();
            FakeServer.sleep(2);
        }
    }

    @Override
    public void close() {
        server.run(() -> plugin.setEnabled(false));
        server.close();
    }
}
