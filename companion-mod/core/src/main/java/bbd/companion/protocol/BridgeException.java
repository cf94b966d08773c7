package bbd.companion.protocol;

import java.util.Map;

/** Something that the other side is told: an error of the bridge, with one line for a person. */
public final class BridgeException extends Exception {
    private static final long serialVersionUID = 1L;
    private final ErrorCode code;
    private final transient Map<String, Object> more;

    public BridgeException(ErrorCode code, String message) {
        this(code, message, Map.of());
    }

    /** {@code more}: further keys of the error, JSON values. */
    public BridgeException(ErrorCode code, String message, Map<String, Object> more) {
        super(message);
        this.code = code;
        this.more = more;
    }

    public ErrorCode code() {
        return code;
    }

    public Map<String, Object> more() {
        return more;
    }
}
