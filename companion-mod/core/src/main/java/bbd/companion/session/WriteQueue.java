package bbd.companion.session;

import bbd.companion.blocks.ChunkPos;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Columns to be written: those of one place in the order in which they came, those of different places in any. The first
 * of each place is prepared (its chunk brought into memory), then ready, and stays until it is finished.
 */
final class WriteQueue {
    private final Map<ChunkPos, Deque<Job>> lanes = new HashMap<>();
    private final Deque<Job> ready = new ArrayDeque<>();
    private final Consumer<Job> prepare;
    private boolean closed;

    WriteQueue(Consumer<Job> prepare) {
        this.prepare = prepare;
    }

    /** Returns false where nothing is taken any more. */
    boolean add(Job job) {
        boolean first;
        synchronized (this) {
            if (closed) {
                return false;
            }
            Deque<Job> lane = lanes.computeIfAbsent(job.at(), at -> new ArrayDeque<>());
            lane.add(job);
            first = lane.size() == 1;
        }
        if (first) {
            prepare.accept(job);
        }
        return true;
    }

    synchronized void ready(Job job) {
        ready.add(job);
    }

    /** The next that can be applied; null for none. */
    synchronized Job poll() {
        return ready.poll();
    }

    /** The first of its place is finished, applied or not. */
    void finished(Job job) {
        Job next;
        synchronized (this) {
            Deque<Job> lane = lanes.get(job.at());
            lane.remove();
            next = lane.peek();
            if (next == null) {
                lanes.remove(job.at());
            }
        }
        if (next != null) {
            prepare.accept(next);
        }
    }

    synchronized boolean isClosed() {
        return closed;
    }

    synchronized boolean holds(ChunkPos at) {
        return lanes.containsKey(at);
    }

    synchronized int size() {
        return lanes.values().stream().mapToInt(Deque::size).sum();
    }

    /** Takes nothing more; what waits behind the first of each place is given back. */
    synchronized java.util.List<Job> close() {
        closed = true;
        java.util.List<Job> dropped = new java.util.ArrayList<>();
        for (Deque<Job> lane : lanes.values()) {
            while (lane.size() > 1) {
                dropped.add(lane.removeLast());
            }
        }
        return dropped;
    }
}
