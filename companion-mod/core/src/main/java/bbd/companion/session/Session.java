package bbd.companion.session;

import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Fields;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Json;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection, without its socket: frames in, frames out through an {@link Outbox}. First hello, then anything, then
 * nothing. What a request does is {@link Requests}' business; here it is made sure that every one is answered once, and
 * that limits are kept.
 */
public final class Session {
    private static final Logger LOG = LoggerFactory.getLogger(Session.class);
    private static final int MAX_HELLO = 4096;
    private static final long MAX_ID = 0xFFFFFFFFL;

    private enum State {
        NEW, GREETED, ENDED
    }

    private final Outbox outbox;
    private final Requests requests;
    private final Set<Long> unanswered = new HashSet<>();
    private State state = State.NEW;
    private int readColumns;
    private long writeBytes;

    public Session(Outbox outbox, Requests requests) {
        this.outbox = outbox;
        this.requests = requests;
    }

    /** A text frame has come. */
    public void text(String text) {
        guarded(() -> {
            if (text.length() > (greeted() ? Limits.TEXT : MAX_HELLO)) {
                throw new BridgeException(ErrorCode.LIMIT, "a text frame is too long");
            }
            Fields fields = Fields.parse(text);
            if (greeted() && fields.has("note")) {
                requests.note(fields);
                return;
            }
            if (!(fields.values().get("id") instanceof Long id) || id < 1 || id > MAX_ID) {
                throw new BridgeException(ErrorCode.BAD_FRAME, "a text frame has no id from 1 to " + MAX_ID);
            }
            begin(id, 0, 0);
            if (greeted()) {
                CompletableFuture<?> answered = answer(id, requests.handle(fields));
                if ("bye".equals(fields.values().get("do"))) {
                    answered.thenRun(() -> outbox.close(null));
                }
            } else {
                hello(id, fields);
            }
        });
    }

    /** A binary frame has come. */
    public void binary(ByteBuffer bytes) {
        guarded(() -> {
            if (!greeted()) {
                throw new BridgeException(ErrorCode.BAD_FRAME, "a connection begins with hello");
            }
            Frames.Frame frame = Frames.parse(bytes, Limits.COLUMNS);
            switch (frame) {
                case Frames.Read read -> sections(read, read.columns().size(), 0);
                case Frames.Write write -> sections(write, 0, write.size());
                default -> throw new BridgeException(ErrorCode.BAD_FRAME, "a client does not send such frames");
            }
        });
    }

    /** The deadline for hello has come. */
    public void deadline() {
        guarded(() -> {
            if (!greeted()) {
                throw new BridgeException(ErrorCode.TOO_LATE, "no hello within the deadline");
            }
        });
    }

    /** The connection breaks a limit that its socket knows of. */
    public void fail(ErrorCode code, String message) {
        guarded(() -> {
            throw new BridgeException(code, message);
        });
    }

    /** The connection is gone. */
    public void closed() {
        end();
    }

    public synchronized boolean greeted() {
        return state == State.GREETED;
    }

    private void hello(long id, Fields fields) throws BridgeException {
        if (!"hello".equals(fields.values().get("do"))) {
            throw new BridgeException(ErrorCode.BAD_FRAME, "a connection begins with hello");
        }
        Map<String, Object> welcome = requests.hello(fields, this);
        synchronized (this) {
            state = State.GREETED;
        }
        done(id, 0, 0);
        send(id, "ok", welcome);
    }

    private void sections(Frames.Frame frame, int columns, int bytes) throws BridgeException {
        begin(frame.request(), columns, bytes);
        Runnable answered = () -> done(frame.request(), columns, bytes);
        try {
            if (frame instanceof Frames.Read read) {
                requests.disk(frame.disk()).read(read, answered);
            } else if (frame instanceof Frames.Write write) {
                requests.disk(frame.disk()).write(write, answered);
            }
        } catch (BridgeException error) {
            answered.run();
            refuse(frame.request(), error);
        }
    }

    private CompletableFuture<?> answer(long id, CompletableFuture<Map<String, Object>> answer) {
        return answer.whenComplete((ok, error) -> {
            done(id, 0, 0);
            if (error == null) {
                send(id, "ok", ok);
                return;
            }
            Throwable cause = error.getCause() == null ? error : error.getCause();
            try {
                refuse(id, cause instanceof BridgeException known
                        ? known
                        : new BridgeException(Failures.code(cause), String.valueOf(cause.getMessage())));
            } catch (BridgeException fatal) {
                end(fatal);
            }
        });
    }

    /** Tells an error that the connection survives; throws one that it doesn't. */
    private void refuse(long id, BridgeException error) throws BridgeException {
        if (error.code().fatal()) {
            throw error;
        }
        send(id, "error", described(error));
    }

    private void send(long id, String key, Map<String, Object> value) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("id", id);
        message.put(key, value);
        outbox.send(message);
    }

    private static Map<String, Object> described(BridgeException error) {
        Map<String, Object> described = new LinkedHashMap<>();
        described.put("code", error.code().text());
        described.put("message", String.valueOf(error.getMessage()));
        described.putAll(error.more());
        return described;
    }

    private synchronized void begin(long id, int columns, int bytes) throws BridgeException {
        if (!unanswered.add(id)) {
            throw new BridgeException(ErrorCode.BAD_FRAME, "the id " + id + " is in use");
        }
        readColumns += columns;
        writeBytes += bytes;
        if (unanswered.size() > Limits.REQUESTS || readColumns > Limits.READ_COLUMNS
                || writeBytes > Limits.WRITE_BYTES) {
            throw new BridgeException(ErrorCode.LIMIT, "more is asked for at once than was agreed");
        }
    }

    private synchronized void done(long id, int columns, int bytes) {
        unanswered.remove(id);
        readColumns -= columns;
        writeBytes -= bytes;
    }

    private interface Step {
        void run() throws BridgeException;
    }

    private void guarded(Step step) {
        synchronized (this) {
            if (state == State.ENDED) {
                return;
            }
        }
        try {
            step.run();
        } catch (BridgeException error) {
            end(error);
        } catch (RuntimeException error) {
            LOG.error("a fault of the companion", error);
            end(new BridgeException(ErrorCode.INTERNAL, "a fault of the companion; its log says more"));
        }
    }

    private void end(BridgeException error) {
        if (!end()) {
            return;
        }
        LOG.warn("a connection ends: {}", error.getMessage());
        outbox.send(Map.of("error", described(error)));
        outbox.close(error.code());
    }

    private boolean end() {
        synchronized (this) {
            if (state == State.ENDED) {
                return false;
            }
            state = State.ENDED;
        }
        requests.closed();
        return true;
    }

    /** Ends it from outside, in order. */
    public void stop(String reason) {
        outbox.send(Map.of("push", "stopping", "reason", reason));
    }

    /** A frame as it goes out. */
    public static String write(Map<String, Object> message) {
        return Json.write(message);
    }

    /** The limits that are told in the welcome. */
    static Map<String, Object> limits() {
        return Map.of("text", Limits.TEXT, "binary", Limits.BINARY, "requests", Limits.REQUESTS, "columns",
                Limits.COLUMNS, "read_columns", Limits.READ_COLUMNS, "write_bytes", Limits.WRITE_BYTES);
    }

    static List<Integer> versions() {
        return List.of(1);
    }
}
