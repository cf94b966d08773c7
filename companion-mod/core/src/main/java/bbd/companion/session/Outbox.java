package bbd.companion.session;

import bbd.companion.protocol.ErrorCode;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/** Where a session's frames go. What an implementer must not do: block, throw, or change their order. */
public interface Outbox {
    void send(Map<String, Object> message);

    /** A frame, in one part or in many. */
    void send(List<ByteBuffer> parts);

    default void send(ByteBuffer frame) {
        send(List.of(frame));
    }

    /** Closes the connection after what was sent; null: an orderly end. */
    void close(ErrorCode why);
}
