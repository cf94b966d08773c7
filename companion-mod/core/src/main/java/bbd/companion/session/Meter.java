package bbd.companion.session;

import java.util.concurrent.atomic.AtomicLong;

/** Counts, and how many of them came in the last whole second. Any thread may call. */
public final class Meter {
    private static final long SECOND = 1_000_000_000L;
    private final AtomicLong total = new AtomicLong();
    private long second = Long.MIN_VALUE;
    private long before;
    private long atStart;

    public void add(long count) {
        perSecond(System.nanoTime());
        total.addAndGet(count);
    }

    public long total() {
        return total.get();
    }

    public long perSecond() {
        return perSecond(System.nanoTime());
    }

    synchronized long perSecond(long now) {
        long current = Math.floorDiv(now, SECOND);
        if (current != second) {
            before = current == second + 1 ? total.get() - atStart : 0;
            atStart = total.get();
            second = current;
        }
        return before;
    }
}
