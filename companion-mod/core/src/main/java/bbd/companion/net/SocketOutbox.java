package bbd.companion.net;

import bbd.companion.protocol.ErrorCode;
import bbd.companion.session.Limits;
import bbd.companion.session.Outbox;
import bbd.companion.session.Session;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.java_websocket.WebSocket;
import org.java_websocket.WebSocketImpl;
import org.java_websocket.exceptions.WebsocketNotConnectedException;
import org.java_websocket.framing.BinaryFrame;
import org.java_websocket.framing.CloseFrame;
import org.java_websocket.framing.ContinuousFrame;
import org.java_websocket.framing.DataFrame;
import org.java_websocket.framing.Framedata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends through a socket; one that is closed takes everything, and nothing arrives. */
final class SocketOutbox implements Outbox {
    private static final Logger LOG = LoggerFactory.getLogger(SocketOutbox.class);
    private static final int UNAUTHORIZED_MILLIS = 1000;

    private final WebSocket socket;
    private final ScheduledExecutorService clock;

    /** {@code clock} closes it, at once or later. */
    SocketOutbox(WebSocket socket, ScheduledExecutorService clock) {
        this.socket = socket;
        this.clock = clock;
    }

    @Override
    public void send(Map<String, Object> message) {
        try {
            socket.send(Session.write(message));
        } catch (WebsocketNotConnectedException gone) {
            LOG.debug("a client is gone", gone);
        }
    }

    @Override
    public void send(List<ByteBuffer> parts) {
        try {
            socket.sendFrame(fragments(parts));
        } catch (WebsocketNotConnectedException gone) {
            LOG.debug("a client is gone", gone);
        }
        if (unread() > Limits.UNREAD) {
            // Not by its session, which would wait for what waits for this.
            clock.execute(() -> socket.closeConnection(ErrorCode.LIMIT.closeCode(), "it does not read"));
        }
    }

    /** Nothing comes between them: they are queued together. */
    private static List<Framedata> fragments(List<ByteBuffer> parts) {
        List<Framedata> frames = new ArrayList<>();
        for (ByteBuffer part : parts) {
            DataFrame frame = frames.isEmpty() ? new BinaryFrame() : new ContinuousFrame();
            frame.setPayload(part);
            frame.setFin(frames.size() == parts.size() - 1);
            frames.add(frame);
        }
        return frames;
    }

    private long unread() {
        long bytes = 0;
        if (socket instanceof WebSocketImpl known) {
            for (ByteBuffer waiting : known.outQueue) {
                bytes += waiting.remaining();
            }
        }
        return bytes;
    }

    @Override
    public void close(ErrorCode why) {
        int code = why == null ? CloseFrame.NORMAL : why.closeCode();
        int wait = why == ErrorCode.UNAUTHORIZED ? UNAUTHORIZED_MILLIS : 0;
        clock.schedule(() -> socket.close(code, why == null ? "" : why.text()), wait, TimeUnit.MILLISECONDS);
    }
}
