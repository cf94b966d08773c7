package bbd.companion.protocol;

import java.util.Locale;

/** The errors of the bridge, by their numbers (PROTOCOL.md, "Errors"). */
public enum ErrorCode {
    DONE(false), BAD_FRAME(true), BAD_REQUEST(false), UNKNOWN_REQUEST(false), VERSION(true), UNAUTHORIZED(
            true), TOO_LATE(true), LIMIT(true), TAKEN_OVER(true), NO_SUCH_DISK(false), IN_USE(false), BAD_PALETTE(
                    false), NOT_OPEN(false), OUTSIDE(false), CONFLICT(false), UNREADABLE(false), IO(false), NO_SPACE(
                            false), READ_ONLY(false), NOT_ALLOWED(false), APPROVAL_NEEDED(false), EXISTS(
                                    false), NO_SUCH_FILE(false), DAMAGED(false), STOPPING(false), INTERNAL(false);

    private static final int CLOSE_CODES = 4000;
    private final boolean fatal;

    ErrorCode(boolean fatal) {
        this.fatal = fatal;
    }

    /** Its number in binary frames; 0 is no error. */
    public int number() {
        return ordinal();
    }

    /** Its name in text frames. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether the connection ends with it. */
    public boolean fatal() {
        return fatal;
    }

    /** The websocket close code of a connection that ends with it. */
    public int closeCode() {
        return CLOSE_CODES + ordinal();
    }
}
