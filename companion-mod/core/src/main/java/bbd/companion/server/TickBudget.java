package bbd.companion.server;

/**
 * How long the core may work in a tick: what the rest of the server leaves of {@link #TARGET}, learned from the ticks
 * before, never more than the operator allows and never less than {@link #LEAST}. All times are in milliseconds.
 */
public final class TickBudget {
    /** So much of the 50 ms of a tick may be used at all. */
    private static final double TARGET = 30;
    private static final double LEAST = 1;
    private static final int REMEMBERED = 100;
    private static final double CALMING = 0.9;

    private final double most;
    private final double[] ticks = new double[REMEMBERED];
    private final long[] times = new long[REMEMBERED];
    private int count;
    private double own;
    private double others;

    /** {@code most}: what the operator allows. */
    public TickBudget(double most) {
        this.most = most;
    }

    /** A tick is over that took {@code total}, of which the core used {@link #used}. */
    public synchronized void ticked(double total) {
        times[count % REMEMBERED] = System.nanoTime();
        ticks[count++ % REMEMBERED] = total;
        double now = Math.max(0, total - own);
        // Up at once, down slowly: a busy server is left alone before it stumbles.
        others = Math.max(now, CALMING * others + (1 - CALMING) * now);
        own = 0;
    }

    /** The core has used so much of the tick that runs. */
    public synchronized void used(double millis) {
        own += millis;
    }

    /** What may be used in the tick that begins. */
    public synchronized double next() {
        return Math.max(LEAST, Math.min(most, TARGET - others));
    }

    /** How many ticks there were a second, of late. */
    public synchronized double perSecond() {
        if (known() < 2) {
            return 0;
        }
        long last = times[(count - 1) % REMEMBERED];
        long first = times[count <= REMEMBERED ? 0 : count % REMEMBERED];
        return (known() - 1) * 1e9 / Math.max(1, last - first);
    }

    public synchronized double mean() {
        double sum = 0;
        for (int i = 0; i < known(); i++) {
            sum += ticks[i];
        }
        return known() == 0 ? 0 : sum / known();
    }

    /** The time that 95 of 100 ticks stay below. */
    public synchronized double p95() {
        double[] sorted = java.util.Arrays.copyOf(ticks, known());
        java.util.Arrays.sort(sorted);
        return sorted.length == 0 ? 0 : sorted[Math.min(sorted.length - 1, sorted.length * 95 / 100)];
    }

    private int known() {
        return Math.min(count, REMEMBERED);
    }
}
