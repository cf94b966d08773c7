package bbd.companion.net;

import bbd.companion.protocol.ErrorCode;
import bbd.companion.session.Limits;
import bbd.companion.session.Outbox;
import bbd.companion.session.Session;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
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
    private static final int UTF8_MOST = 3;

    private final WebSocket socket;
    private final ScheduledExecutorService clock;
    /** No fewer bytes than wait to be read. */
    private long mostUnread;

    /** {@code clock} closes it, at once or later. */
    SocketOutbox(WebSocket socket, ScheduledExecutorService clock) {
        this.socket = socket;
        this.clock = clock;
    }

    @Override
    public void send(Map<String, Object> message) {
        String text = Session.write(message);
        try {
            socket.send(text);
        } catch (WebsocketNotConnectedException gone) {
            LOG.debug("a client is gone", gone);
        }
        requireReader((long) UTF8_MOST * text.length());
    }

    @Override
    public void send(List<ByteBuffer> parts) {
        long bytes = parts.stream().mapToLong(ByteBuffer::remaining).sum();
        try {
            socket.sendFrame(fragments(parts));
        } catch (WebsocketNotConnectedException gone) {
            LOG.debug("a client is gone", gone);
        }
        requireReader(bytes);
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

    /** So many bytes were sent. They are counted when they may be too many: there may be thousands of frames. */
    private synchronized void requireReader(long bytes) {
        mostUnread += bytes;
        if (mostUnread > Limits.UNREAD) {
            mostUnread = unread();
        }
        if (mostUnread > Limits.UNREAD) {
            drop(socket, clock);
        }
        requireReader(socket, clock);
    }

    /** Closes a connection for which too many frames wait. */
    static void requireReader(WebSocket socket, Executor clock) {
        if (socket instanceof WebSocketImpl known && known.outQueue.size() > Limits.UNREAD_FRAMES) {
            drop(socket, clock);
        }
    }

    /** Not by its session, which would wait for what waits for this. */
    private static void drop(WebSocket socket, Executor clock) {
        clock.execute(() -> socket.closeConnection(ErrorCode.LIMIT.closeCode(), "it does not read"));
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
