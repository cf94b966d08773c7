package bbd.companion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.net.TokenFile;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Json;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Connections to the bridge: who is let in, what ends one, and goodbye. */
class BridgeConnectionsTest extends BridgeFixture {
    @Test
    void strangersAreRefused() throws Exception {
        Client wrong = connect(Map.of());
        assertEquals("unauthorized", ((Map<?, ?>) error(wrong,
                "{\"id\": 1, \"do\": \"hello\", \"versions\": [1], \"token\": \"\"}")).get("code"));
        assertEquals(4005, wrong.next(Integer.class));
        Client old = connect(Map.of());
        assertEquals("version", ((Map<?, ?>) error(old,
                "{\"id\": 1, \"do\": \"hello\", \"versions\": [2], \"token\": \"" + token + "\"}")).get("code"));
        assertEquals(4004, old.next(Integer.class));
        Client early = connect(Map.of());
        assertEquals("bad_frame", ((Map<?, ?>) error(early, "{\"id\": 1, \"do\": \"disks\"}")).get("code"));
        assertFalse(connect(Map.of("Origin", "http://localhost")).isOpen());
        assertFalse(connect(Map.of("Host", "example.org")).isOpen());
    }

    @Test
    void thoseWhoSayNothingAreClosed() throws Exception {
        stop();
        clients.clear();
        Config config = Config.standard();
        begin(new Config(config.bind(), 0, Set.of(), true, false, true, 25, Duration.ofMillis(200)));
        assertEquals(4006, connect(Map.of()).next(Integer.class));
    }

    @Test
    void thoseWhoGoBeforeTheyAreAWebsocketKeepNobodyOut() throws Exception {
        stop();
        clients.clear();
        Config config = Config.standard();
        begin(new Config(config.bind(), 0, Set.of(), true, false, true, 25, Duration.ofSeconds(60)));
        for (int i = 0; i < 20; i++) {
            try (Socket raw = new Socket("127.0.0.1", companion.port())) {
                raw.getOutputStream().write("GET / HTTP/1.1\r\nHost: loc".getBytes(StandardCharsets.US_ASCII));
            }
        }
        for (int tries = 0; !connect(Map.of()).isOpen(); tries++) {
            assertTrue(tries < 100, "they still count");
            Thread.sleep(50);
        }
    }

    @Test
    void hostileFramesEndTheConnectionAndNothingElse() throws Exception {
        Client good = opened();
        Random random = new Random(3);
        for (int round = 0; round < 40; round++) {
            Client bad = greeted("");
            byte[] bytes = new byte[random.nextInt(200)];
            random.nextBytes(bytes);
            if (bytes.length > 0) {
                bytes[0] = (byte) (1 + random.nextInt(2));
            }
            bad.send(bytes);
            assertEquals(4001, bad.next(Integer.class));
        }
        assertEquals(Frames.Status.ABSENT, good.read(0, 0).status());
    }

    @Test
    void textVectorsAreAnsweredAsTheySay() throws Exception {
        for (Map<String, Object> vector : Vectors.bridge("text.json")) {
            if (vector.containsKey("meaning")) {
                assertEquals(vector.get("meaning"), Json.parse((String) vector.get("text")));
                assertEquals(vector.get("meaning"), Json.parse(Json.write(vector.get("meaning"))));
            } else {
                Client client = greeted("");
                assertEquals(vector.get("error"),
                        ((Map<?, ?>) error(client, (String) vector.get("text"))).get("code"),
                        (String) vector.get("name"));
                client.closeBlocking();
            }
        }
        for (Map<String, Object> vector : Vectors.bridge("states.json")) {
            BlockState state = BlockState.parse((String) vector.get("text"));
            assertEquals(vector.get("text"), state.toString());
            assertEquals(vector.get("name"), state.name());
            assertEquals(vector.get("properties"), state.properties());
        }
    }

    @Test
    void byeIsAnsweredAndEndsInOrder() throws Exception {
        Client client = opened();
        client.written(change(5, 0, 1, 3, section(1)));
        assertEquals(Map.of(), client.ask("\"do\": \"bye\""));
        assertEquals(1000, client.next(Integer.class));
        assertTrue(world.files().anew().column(new ChunkPos(5, 0)).isPresent());
    }

    @Test
    void byeIsAnsweredWhenThereIsNothingToWaitFor() throws Exception {
        for (int round = 0; round < 100; round++) {
            Client client = greeted("");
            assertEquals(Map.of(), client.ask("\"do\": \"bye\""), "round " + round);
            assertEquals(1000, client.next(Integer.class));
        }
    }

    @Test
    void aTokenThatOthersCanReadIsNotUsed() throws IOException {
        Path file = folder.resolve("token");
        assertEquals("rw-------", java.nio.file.attribute.PosixFilePermissions.toString(
                Files.getPosixFilePermissions(file)));
        Files.setPosixFilePermissions(file, java.nio.file.attribute.PosixFilePermissions.fromString("rw-r--r--"));
        assertThrows(IOException.class, () -> TokenFile.at(file));
    }

    private static Object error(Client client, String text) throws InterruptedException {
        client.send(text);
        return client.next(Map.class).get("error");
    }

    @Test
    void pingsWhoseAnswersNobodyReadsEndTheConnection() throws Exception {
        try (RawClient stranger = new RawClient(companion.port())) {
            assertIsCut(stranger, RawClient.PING, new byte[100]);
        }
        assertIsServed();
    }

    @Test
    void requestsWhoseAnswersNobodyReadsEndTheConnection() throws Exception {
        try (RawClient client = new RawClient(companion.port())) {
            client.put(true, RawClient.TEXT, ("{\"id\": 1, \"do\": \"hello\", \"versions\": [1], \"token\": \"" + token
                    + "\"}").getBytes(StandardCharsets.UTF_8)).flush();
            assertIsCut(client, RawClient.TEXT,
                    "{\"id\": 2, \"do\": \"stats\"}".getBytes(StandardCharsets.UTF_8));
        }
        assertIsServed();
    }

    /** More is sent than any buffer takes the answers to. */
    private static void assertIsCut(RawClient client, int kind, byte[] data) {
        assertThrows(IOException.class, () -> {
            for (int i = 0; i < 1000; i++) {
                for (int j = 0; j < 500; j++) {
                    client.put(true, kind, data);
                }
                client.flush();
            }
        });
    }

    private void assertIsServed() throws Exception {
        assertEquals(Map.of(), opened().ask("\"do\": \"sync\", \"disk\": 1"));
    }
}
