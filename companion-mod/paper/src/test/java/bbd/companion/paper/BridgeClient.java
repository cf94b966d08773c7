package bbd.companion.paper;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Indices;
import bbd.companion.protocol.Json;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocketFactory;
import org.java_websocket.client.WebSocketClient;
import org.java_websocket.handshake.ServerHandshake;

/** A client of the bridge that has said hello. */
final class BridgeClient extends WebSocketClient {
    static final String OPEN = "\"do\": \"open\", \"disk\": \"demo\", \"palette\": [{\"name\": \"minecraft:stone\"}, "
            + "{\"name\": \"minecraft:lever\"}, {\"name\": \"minecraft:air\"}]";
    final LinkedBlockingQueue<Object> told = new LinkedBlockingQueue<>();
    private int id;

    private BridgeClient(String scheme, int port) {
        super(URI.create(scheme + "://127.0.0.1:" + port + "/"));
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

    @Override
    public void onOpen(ServerHandshake handshake) {}

    @Override
    public void onMessage(String message) {
        told.add(Json.parse(message));
    }

    @Override
    public void onMessage(ByteBuffer bytes) {
        try {
            told.add(Frames.parse(bytes, 32));
        } catch (BridgeException error) {
            told.add(error);
        }
    }

    @Override
    public void onClose(int code, String reason, boolean remote) {
        told.add(code);
    }

    @Override
    public void onError(Exception error) {
        told.add(error);
    }

    /** The next thing of a type that it is told; what comes before is dropped. */
    <T> T next(Class<T> type) throws InterruptedException {
        while (true) {
            Object one = told.poll(20, TimeUnit.SECONDS);
            assertNotNull(one, "nothing came");
            if (type.isInstance(one)) {
                return type.cast(one);
            }
        }
    }

    Map<?, ?> push(String name) throws InterruptedException {
        while (true) {
            Map<?, ?> one = next(Map.class);
            if (name.equals(one.get("push"))) {
                return one;
            }
        }
    }

    /** The answer to a request: what stands under ok, or the error. */
    Map<?, ?> ask(String request) throws InterruptedException {
        send("{\"id\": " + ++id + ", " + request + "}");
        while (true) {
            Map<?, ?> one = next(Map.class);
            if (Long.valueOf(id).equals(one.get("id"))) {
                return (Map<?, ?>) (one.containsKey("ok") ? one.get("ok") : one.get("error"));
            }
        }
    }

    void write(Frames.Change change) {
        send(Frames.write(new Frames.Write(++id, 1, List.of(change), 0)));
    }

    /** What comes of a write, or is confirmed. */
    Frames.Outcome outcome(boolean confirmed) throws InterruptedException {
        while (true) {
            Frames.Outcomes outcomes = next(Frames.Outcomes.class);
            if (outcomes.confirmed() == confirmed) {
                return outcomes.columns().get(0);
            }
        }
    }

    Frames.Standing read(int x) throws InterruptedException {
        send(Frames.write(new Frames.Read(++id, 1, List.of(new Frames.Wanted(x, 0, Frames.ALL_SECTIONS)))));
        return next(Frames.Columns.class).columns().get(0);
    }
}
