package bbd.companion.paper;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import bbd.companion.Client;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Indices;
import java.net.URI;
import java.nio.file.Files;
import java.util.Base64;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocketFactory;

/** A client of the bridge that has said hello. */
final class BridgeClient extends Client {
    static final String OPEN = "\"do\": \"open\", \"disk\": \"demo\", \"palette\": [{\"name\": \"minecraft:stone\"}, "
            + "{\"name\": \"minecraft:lever\"}, {\"name\": \"minecraft:air\"}]";

    private BridgeClient(String scheme, int port) {
        super(URI.create(scheme + "://127.0.0.1:" + port + "/"), Map.of());
    }

    static BridgeClient of(Fixture fixture) throws Exception {
        return greeted(fixture, new BridgeClient("ws", fixture.companion().port()));
    }

    static BridgeClient of(Fixture fixture, SSLSocketFactory tls) throws Exception {
        BridgeClient client = new BridgeClient("wss", fixture.companion().port());
        client.setSocketFactory(tls);
        return greeted(fixture, client);
    }

    private static BridgeClient greeted(Fixture fixture, BridgeClient client) throws Exception {
        client.connectBlocking(10, TimeUnit.SECONDS);
        Map<?, ?> welcome = client
                .ask("\"do\": \"hello\", \"versions\": [1], \"client\": \"test\", \"instance\": \"\", "
                        + "\"token\": \"" + Files.readString(fixture.data.resolve("token")).strip() + "\"");
        assertNotNull(welcome.get("version"), String.valueOf(welcome));
        return client;
    }

    static BridgeClient opened(Fixture fixture) throws Exception {
        BridgeClient client = of(fixture);
        Map<?, ?> answer = client.ask(OPEN);
        assertNotNull(answer.get("disk"), String.valueOf(answer));
        return client;
    }

    /** Blocks of the palette, in any order. */
    static byte[] section(int seed) {
        Random random = new Random(seed);
        char[] section = new char[Indices.BLOCKS];
        for (int i = 0; i < section.length; i++) {
            section[i] = (char) random.nextInt(3);
        }
        return Indices.of(section);
    }

    static Frames.Change change(int x, boolean replace, long generation, int index, byte[] section) {
        byte[][] sections = new byte[Frames.SECTIONS][];
        sections[index] = section;
        return new Frames.Change(x, 0, false, replace, 1 << index, 0, 0, generation, sections);
    }

    static String create(String name, int origin) {
        String descriptor = Base64.getEncoder()
                .encodeToString(
                        Fixture.descriptor(name, "byte", origin).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return "\"do\": \"create\", \"disk\": \"" + name + "\", \"files\": {\"" + name + ".json\": \"" + descriptor
                + "\"}";
    }

    Frames.Standing read(int x) throws InterruptedException {
        return read(x, 0);
    }
}
