package bbd.companion.session;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.Config;
import bbd.companion.MemoryServer;
import bbd.companion.MemoryWorld;
import bbd.companion.Vectors;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Fields;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Json;
import bbd.companion.server.TickBudget;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a connection may say, spoiled in every way: it is refused in order, at once, and at no great cost. */
@Timeout(60)
class FuzzTest {
    private static final String TOKEN = "0".repeat(64);
    private static final int FRAMES = 10_000;
    private static final int TEXTS = 30_000;
    private static final int CONNECTIONS = 400;
    /** Parsing takes a few times as much memory as what is parsed: a byte may be a number, an index is a char. */
    private static final long COST_PER_BYTE = 100;
    private static final long COST = 1 << 20;
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    @TempDir
    Path folder;

    private static byte[] spoiled(byte[] sound, Random random) {
        byte[] bytes = sound.clone();
        for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--) {
            // Mostly where the numbers stand that everything else follows from.
            int at = random.nextInt(random.nextBoolean() ? Math.min(64, bytes.length) : bytes.length);
            bytes[at] = switch (random.nextInt(3)) {
                case 0 -> (byte) random.nextInt(256);
                case 1 -> (byte) 0xFF;
                default -> (byte) (bytes[at] ^ 1 << random.nextInt(8));
            };
        }
        return random.nextInt(3) == 0 ? java.util.Arrays.copyOf(bytes, random.nextInt(2 * bytes.length + 1)) : bytes;
    }

    private interface Parsing {
        void run() throws BridgeException;
    }

    /** Fails by any exception but the one that is meant for it, and by what it costs. */
    private void refusedOrFine(int size, Parsing parsing) {
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            parsing.run();
        } catch (BridgeException refused) {
            assertNotEquals(ErrorCode.INTERNAL, refused.code());
        }
        long cost = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(cost <= COST + COST_PER_BYTE * size, cost + " bytes for a frame of " + size);
    }

    @Test
    void frames() throws IOException {
        List<byte[]> sound = new ArrayList<>();
        for (Map<String, Object> vector : Vectors.bridge("binary.json")) {
            byte[] bytes = Vectors.bytes(vector.get("frame")).array();
            if (bytes.length < 1 << 16) {
                sound.add(bytes);
            }
        }
        Random random = new Random(1);
        for (int i = 0; i < FRAMES; i++) {
            byte[] bytes = spoiled(sound.get(random.nextInt(sound.size())), random);
            refusedOrFine(bytes.length, () -> Frames.parse(ByteBuffer.wrap(bytes), Limits.COLUMNS));
        }
    }

    @Test
    void texts() throws IOException {
        List<byte[]> sound = sayings();
        Random random = new Random(2);
        for (int i = 0; i < TEXTS; i++) {
            String text = text(spoiled(sound.get(random.nextInt(sound.size())), random));
            refusedOrFine(text.length(), () -> Fields.parse(text));
        }
        for (String text : List.of("[".repeat(1 << 20), "{\"a\":".repeat(1 << 18), "1".repeat(1 << 20), "\"" + "\\u0000"
                .repeat(1 << 17), "-", "1e999999999", "{\"a\": 1e-999999999}", "9".repeat(400), "\u0000", "\ud800")) {
            refusedOrFine(text.length(), () -> Fields.parse(text));
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** One of everything that a client says. */
    private static List<byte[]> sayings() throws IOException {
        List<byte[]> sayings = new ArrayList<>();
        for (Map<String, Object> vector : Vectors.bridge("text.json")) {
            if ("client".equals(vector.get("from")) && ((String) vector.get("text")).length() < 4096) {
                sayings.add(((String) vector.get("text")).getBytes(StandardCharsets.UTF_8));
            }
        }
        for (String rest : List.of("\"open\", \"disk\": \"demo\", \"palette\": [{\"name\": \"minecraft:air\"}]",
                "\"close\", \"disk\": 1", "\"sync\", \"disk\": 1", "\"regions\", \"disk\": 1",
                "\"presence\", \"disk\": 1, \"regions\": [[0, 0], [-1, 2]]",
                "\"raw\", \"disk\": 1, \"x\": 0, \"z\": 0, \"at\": 0, \"size\": 100",
                "\"file_list\", \"disk\": 1, \"folder\": \"quarantine\"",
                "\"file_write\", \"disk\": 1, \"file\": \"demo.columns\", \"create\": true, \"size\": 4096, "
                        + "\"writes\": [{\"at\": 0, \"data\": \"AAAA\"}]",
                "\"file_read\", \"disk\": 1, \"file\": \"demo.columns\", \"at\": 0, \"size\": 100",
                "\"file_replace\", \"disk\": 1, \"file\": \"demo.json\", \"data\": \"AAAA\"", "\"pause\", \"disk\": 1",
                "\"create\", \"disk\": \"new\", \"files\": {\"new.json\": \"e30=\"}", "\"stats\"", "\"disks\"")) {
            sayings.add(("{\"id\": 7, \"do\": " + rest + "}").getBytes(StandardCharsets.UTF_8));
        }
        return sayings;
    }

    /** Keeps what is sent, and how it ends. */
    private static final class Heard implements Outbox {
        final LinkedBlockingQueue<Object> said = new LinkedBlockingQueue<>();

        @Override
        public void send(Map<String, Object> message) {
            said.add(Json.write(message));
        }

        @Override
        public void send(List<ByteBuffer> parts) {
            said.add(parts);
        }

        @Override
        public void close(ErrorCode why) {
            said.add("closed: " + why);
        }
    }

    @Test
    void sessions() throws Exception {
        Files.createDirectories(folder.resolve("bbd"));
        Files.writeString(folder.resolve("bbd/demo.json"), descriptor());
        MemoryWorld world = new MemoryWorld(folder.resolve("region"));
        List<byte[]> sayings = sayings();
        byte[] read = Frames.write(new Frames.Read(9, 1, List.of(new Frames.Wanted(0, 0, 1)))).array();
        Random random = new Random(3);
        try (Workers workers = new Workers()) {
            Disks disks = new Disks(new MemoryServer(folder, world), Config.standard(), TOKEN::equals, workers,
                    new TickBudget(25));
            disks.load();
            for (int i = 0; i < CONNECTIONS; i++) {
                Heard heard = new Heard();
                Session session = new Session(heard, new Requests(disks, heard, workers));
                session.text(
                        "{\"id\": 1, \"do\": \"hello\", \"versions\": [1], \"instance\": \"x\", \"token\": \"" + TOKEN
                                + "\"}");
                session.text("{\"id\": 2, \"do\": \"open\", \"disk\": \"demo\", \"palette\": "
                        + "[{\"name\": \"minecraft:air\"}]}");
                for (int j = 0; j < 8; j++) {
                    if (random.nextInt(4) == 0) {
                        session.binary(ByteBuffer.wrap(spoiled(read, random)));
                    } else {
                        session.text(text(spoiled(sayings.get(random.nextInt(sayings.size())), random)));
                    }
                    disks.apply(System.nanoTime());
                }
                assertIsAnswered(session, heard);
                session.closed();
            }
        }
    }

    /** Whatever was said before: the connection is closed, or it goes on. */
    private static void assertIsAnswered(Session session, Heard heard) throws InterruptedException {
        session.text("{\"id\": 4000000000, \"do\": \"stats\"}");
        boolean answered = false;
        while (!answered) {
            Object one = heard.said.poll(20, TimeUnit.SECONDS);
            assertTrue(one != null, "it hangs");
            assertTrue(!(one instanceof String text) || !text.contains("\"internal\""), String.valueOf(one));
            answered = one instanceof String text && (text.contains("4000000000") || text.startsWith("closed"));
        }
    }

    static String descriptor() {
        return """
                {"format": 1, "name": "demo", "size": 1048576, "codec": "byte", "palette": "palette256",
                 "layout": {"name": "hilbert"}, "origin": [0, 0], "dimension": "minecraft:overworld", "parity": 2,
                 "edits": "repair", "id": "00112233-4455-6677-8899-aabbccddeeff", "clean": true, "epoch": 0,
                 "journal": null, "compat": [], "ro_compat": [], "incompat": []}""";
    }
}
