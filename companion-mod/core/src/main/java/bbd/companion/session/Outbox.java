package bbd.companion.session;

import bbd.companion.protocol.ErrorCode;
import java.nio.ByteBuffer;
import java.util.Map;

/** Where a session's frames go. What an implementer must not do: block, throw, or change their order. */
public interface Outbox {
    void send(Map<String, Object> message);

    void send(ByteBuffer frame);

    /** Closes the connection after what was sent; null: an orderly end. */
    void close(ErrorCode why);
}
