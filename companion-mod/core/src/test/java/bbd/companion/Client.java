package bbd.companion;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Json;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.java_websocket.client.WebSocketClient;
import org.java_websocket.handshake.ServerHandshake;

/** A client of the bridge for tests, of servers' adapters too, that keeps what it is told. */
public class Client extends WebSocketClient {
    public final LinkedBlockingQueue<Object> told = new LinkedBlockingQueue<>();
    private int id;

    public Client(URI uri, Map<String, String> headers) {
        super(uri, headers);
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
    public <T> T next(Class<T> type) throws InterruptedException {
        while (true) {
            Object one = told.poll(20, TimeUnit.SECONDS);
            assertNotNull(one, "nothing came");
            if (type.isInstance(one)) {
                return type.cast(one);
            }
        }
    }

    public Map<?, ?> push(String name) throws InterruptedException {
        while (true) {
            Map<?, ?> one = next(Map.class);
            if (name.equals(one.get("push"))) {
                return one;
            }
        }
    }

    /** The answer to a request: what stands under ok, or the error. */
    public Map<?, ?> ask(String request) throws InterruptedException {
        send("{\"id\": " + ++id + ", " + request + "}");
        while (true) {
            Map<?, ?> one = next(Map.class);
            if (Long.valueOf(id).equals(one.get("id"))) {
                return (Map<?, ?>) (one.containsKey("ok") ? one.get("ok") : one.get("error"));
            }
        }
    }

    public void write(Frames.Change change) {
        send(Frames.write(new Frames.Write(++id, 1, List.of(change), 0)));
    }

    public Frames.Outcome written(Frames.Change change) throws InterruptedException {
        write(change);
        return outcome(false);
    }

    public Frames.Outcome confirmed() throws InterruptedException {
        return outcome(true);
    }

    /** What comes of a write, or is confirmed. */
    public Frames.Outcome outcome(boolean confirmed) throws InterruptedException {
        while (true) {
            Frames.Outcomes outcomes = next(Frames.Outcomes.class);
            if (outcomes.confirmed() == confirmed) {
                return outcomes.columns().get(0);
            }
        }
    }

    public Frames.Standing read(int x, int z) throws InterruptedException {
        send(Frames.write(new Frames.Read(++id, 1, List.of(new Frames.Wanted(x, z, Frames.ALL_SECTIONS)))));
        return next(Frames.Columns.class).columns().get(0);
    }
}
