package bbd.companion.net;

import bbd.companion.session.Limits;
import java.util.List;
import org.java_websocket.WebSocketImpl;
import org.java_websocket.drafts.Draft;
import org.java_websocket.drafts.Draft_6455;
import org.java_websocket.exceptions.InvalidDataException;
import org.java_websocket.exceptions.LimitExceededException;
import org.java_websocket.framing.Framedata;
import org.java_websocket.protocols.Protocol;

/**
 * The websocket protocol, without extensions, that ends a connection as soon as a message is too large: the library
 * looks at what fragments are together only when the last one comes, and keeps them all until then.
 */
final class BoundedDraft extends Draft_6455 {
    private static final int LEAST = 64;

    private long size;

    BoundedDraft() {
        super(List.of(), List.of(new Protocol("")), Limits.BINARY);
    }

    @Override
    public Draft copyInstance() {
        return new BoundedDraft();
    }

    @Override
    public void processFrame(WebSocketImpl socket, Framedata frame) throws InvalidDataException {
        switch (frame.getOpcode()) {
            case TEXT, BINARY -> size = cost(frame);
            case CONTINUOUS -> size += cost(frame);
            default -> {
                // May come between fragments, and belongs to none.
            }
        }
        if (size > Limits.BINARY) {
            throw new LimitExceededException("a message is larger than " + Limits.BINARY + " bytes", Limits.BINARY);
        }
        super.processFrame(socket, frame);
    }

    /** An empty fragment takes memory, too. */
    private static long cost(Framedata frame) {
        return Math.max(LEAST, frame.getPayloadData().remaining());
    }
}
