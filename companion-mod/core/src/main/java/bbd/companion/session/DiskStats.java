package bbd.companion.session;

/** What was done for an open disk since the server began. */
public final class DiskStats {
    public final Meter read = new Meter();
    public final Meter written = new Meter();
    public final Meter confirmed = new Meter();
    public final Meter conflicts = new Meter();
    public final Meter cancelled = new Meter();
    public final Meter edits = new Meter();
    public final Meter unseen = new Meter();
    public final Meter errors = new Meter();
    /** What the client's own clients did in the last second: reads, writes, bytes read, bytes written. */
    public volatile long[] activity = {0, 0, 0, 0};
}
