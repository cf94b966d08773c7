package bbd.companion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import bbd.companion.net.TokenFile;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Indices;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole companion over a real socket, in a server that is nothing but its world. */
@Timeout(60)
abstract class BridgeFixture {
    static final String OVERWORLD = MemoryServer.OVERWORLD;
    /** A request that opens the disk "demo". */
    static final String OPEN = "\"do\": \"open\", \"disk\": \"demo\", \"palette\": "
            + "[{\"name\": \"minecraft:a\"}, {\"name\": \"minecraft:b\"}, {\"name\": \"minecraft:air\"}]";
    @TempDir
    Path folder;
    MemoryWorld world;
    Companion companion;
    ScheduledExecutorService ticks;
    String token;
    final List<Client> clients = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        Files.createDirectories(folder.resolve("bbd"));
        Files.writeString(folder.resolve("bbd/demo.json"), descriptor("demo", 0));
        world = new MemoryWorld(folder.resolve("region"));
        begin(Config.standard().withPort(0).withCreate(true, true));
    }

    void begin(Config config) throws IOException {
        Path file = folder.resolve("token");
        companion = new Companion(new MemoryServer(folder, world), config, TokenFile.at(file), null);
        token = Files.readString(file).strip();
        ticks = Executors.newSingleThreadScheduledExecutor();
        ticks.scheduleAtFixedRate(() -> companion.tick(2), 10, 10, TimeUnit.MILLISECONDS);
    }

    @AfterEach
    void stop() throws InterruptedException {
        for (Client client : clients) {
            client.closeBlocking();
        }
        companion.close();
        ticks.shutdown();
    }

    static String descriptor(String name, int origin) {
        return """
                {"format": 1, "name": "%s", "size": 67108864, "codec": "byte", "palette": "palette256",
                 "layout": {"name": "hilbert"}, "origin": [%d, 0], "dimension": "minecraft:overworld", "parity": 2,
                 "edits": "repair", "id": "00112233-4455-6677-8899-aabbccddeeff", "clean": true, "epoch": 0,
                 "journal": null, "compat": [], "ro_compat": [], "incompat": []}""".formatted(name, origin);
    }

    Client connect(Map<String, String> headers) throws InterruptedException {
        Client client = new Client(URI.create("ws://127.0.0.1:" + companion.port() + "/"), headers);
        client.connectBlocking(10, TimeUnit.SECONDS);
        clients.add(client);
        return client;
    }

    /** A client that has said hello. */
    Client greeted(String instance) throws InterruptedException {
        Client client = connect(Map.of());
        Map<?, ?> welcome = client.ask("\"do\": \"hello\", \"versions\": [1], \"client\": \"test\", \"instance\": \""
                + instance + "\", \"token\": \"" + token + "\"");
        assertEquals(1L, welcome.get("version"), String.valueOf(welcome));
        return client;
    }

    /** A client that has the disk "demo" open, with the handle 1. */
    Client opened() throws InterruptedException {
        Client client = greeted("");
        Map<?, ?> answer = client.ask(OPEN);
        assertEquals(1L, answer.get("disk"), String.valueOf(answer));
        return client;
    }

    /** Indices of blocks of the palette, and of air. */
    static char[] section(int seed) {
        Random random = new Random(seed);
        char[] section = new char[Indices.BLOCKS];
        for (int i = 0; i < section.length; i++) {
            section[i] = (char) random.nextInt(3);
        }
        return section;
    }

    /** One section of the column at ({@code x}, 0), where the world is expected to be at {@code stamp}. */
    static Frames.Change change(int x, long stamp, long generation, int index, char[] section) {
        byte[][] sections = new byte[Frames.SECTIONS][];
        sections[index] = Indices.of(section);
        return new Frames.Change(x, 0, true, false, 1 << index, 0, stamp, generation, sections);
    }
}
