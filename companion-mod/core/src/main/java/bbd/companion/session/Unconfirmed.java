package bbd.companion.session;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.protocol.ErrorCode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The columns that were applied and are not confirmed yet, with their last generation, and who waits for them. */
final class Unconfirmed {
    private final Map<ChunkPos, Long> generations = new HashMap<>();
    private final List<Waiter> waiters = new ArrayList<>();
    private final Map<ChunkPos, Long> failures = new HashMap<>();
    private long attempts;

    /** {@code asked}: how many attempts to confirm had begun by then. */
    private record Waiter(Map<ChunkPos, Long> missing, CompletableFuture<ErrorCode> done, long asked) {}

    /** Returns whether the column is new here. */
    synchronized boolean applied(ChunkPos at, long generation) {
        return generations.put(at, generation) == null;
    }

    synchronized Map<ChunkPos, Long> all() {
        return new HashMap<>(generations);
    }

    synchronized int size() {
        return generations.size();
    }

    /** A column is confirmed up to a generation, {@link #settle} follows; returns whether nothing newer of it waits. */
    synchronized boolean confirmed(ChunkPos at, long generation) {
        for (Waiter waiter : waiters) {
            waiter.missing.computeIfPresent(at, (key, wanted) -> isUpTo(wanted, generation) ? null : wanted);
        }
        failures.remove(at, generation);
        return generations.remove(at, generation);
    }

    /** Those who have nothing left to wait for go on. */
    synchronized void settle() {
        release();
    }

    /** A write was not applied: who waits for it waits for the last one that was. */
    synchronized void dropped(ChunkPos at, long generation) {
        for (Waiter waiter : waiters) {
            if (waiter.missing.remove(at, generation) && generations.containsKey(at)) {
                waiter.missing.put(at, generations.get(at));
            }
        }
        release();
    }

    /** An attempt to confirm what is here begins; there is one at a time. */
    synchronized void begin() {
        attempts++;
    }

    /**
     * The attempt has failed, and another one will be made: who waited when it began is told. What is asked for later
     * may be true by now: room may have been made meanwhile. Returns the columns that did not fail before, as
     * {@link #all} does: their client is still to be told.
     */
    synchronized Map<ChunkPos, Long> failed(ErrorCode code) {
        waiters.removeIf(waiter -> waiter.asked < attempts && waiter.done.complete(code));
        Map<ChunkPos, Long> fresh = new HashMap<>(generations);
        fresh.entrySet().removeAll(failures.entrySet());
        failures.putAll(fresh);
        return fresh;
    }

    /** Completes with {@code DONE} when all that is here now is confirmed, or with the error that prevents it. */
    synchronized CompletableFuture<ErrorCode> wait(Map<ChunkPos, Long> wanted) {
        Waiter waiter = new Waiter(new HashMap<>(wanted), new CompletableFuture<>(), attempts);
        waiters.add(waiter);
        release();
        return waiter.done;
    }

    private void release() {
        waiters.removeIf(waiter -> waiter.missing.isEmpty() && waiter.done.complete(ErrorCode.DONE));
    }

    private static boolean isUpTo(long wanted, long generation) {
        return Long.compareUnsigned(wanted, generation) <= 0;
    }
}
