package bbd.companion.session;

/** What a client may ask for at once (PROTOCOL.md, "Flow control"). */
public final class Limits {
    public static final int TEXT = 1 << 20;
    public static final int BINARY = 8 << 20;
    public static final int REQUESTS = 256;
    public static final int COLUMNS = 32;
    public static final int READ_COLUMNS = 256;
    public static final int WRITE_BYTES = 32 << 20;
    /** Bytes that may wait for a client that does not read. */
    public static final int UNREAD = 64 << 20;
    /** Frames that may, answers to pings among them: each is small, and has an object of its own. */
    public static final int UNREAD_FRAMES = 1 << 14;
    public static final int STRANGERS = 8;

    private Limits() {}
}
