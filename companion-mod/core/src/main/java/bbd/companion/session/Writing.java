package bbd.companion.session;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Frames.Change;
import bbd.companion.protocol.Frames.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Columns that a client writes to an open disk, until they stand in the running server. */
final class Writing {
    private static final Logger LOG = LoggerFactory.getLogger(Writing.class);

    private final Context disk;
    private final Confirming confirming;
    private final IntSupplier sections;
    private final WriteQueue queue = new WriteQueue(this::prepare);
    private final Map<ChunkPos, Long> pending = new ConcurrentHashMap<>();
    /** Held while a column is applied, and while the queue is closed. */
    private final Object applying = new Object();
    private volatile boolean paused;

    /** {@code sections}: a bit for each that is the disk's. */
    Writing(Context disk, Confirming confirming, IntSupplier sections) {
        this.disk = disk;
        this.confirming = confirming;
        this.sections = sections;
    }

    boolean paused() {
        return paused;
    }

    /** While paused nothing is applied. */
    void pause(boolean wanted) {
        paused = wanted;
    }

    /** How many columns wait to be applied. */
    int waiting() {
        return queue.size();
    }

    /** Whether a write of the column is on its way. */
    boolean holds(ChunkPos at) {
        return queue.holds(at);
    }

    /** The last write of each column that was asked for and will be applied. */
    Map<ChunkPos, Long> pending() {
        return paused || queue.isClosed() ? Map.of() : pending;
    }

    /**
     * Takes no more writes; those that are not applied are answered with {@code stopping}, and never will be: whoever
     * opens the disk next must not see it change by them.
     */
    void shut() {
        List<Job> dropped;
        synchronized (applying) {
            dropped = queue.close();
        }
        dropped.forEach(this::drop);
    }

    /** A write that is not in the queue, and never will be applied. */
    private void drop(Job job) {
        pending.remove(job.at(), job.change().generation());
        job.done().complete(outcome(job, ErrorCode.STOPPING, 0));
        confirming.dropped(job.at(), job.change().generation());
    }

    /** Whether it takes no more writes, and has none left. */
    boolean isOver() {
        return queue.isClosed() && queue.size() == 0;
    }

    /** Applies a WRITE, column by column, and answers it; {@code answered} is called just before. */
    void write(Frames.Write frame, Runnable answered) throws BridgeException {
        List<Job> jobs = new ArrayList<>();
        for (Change change : frame.columns()) {
            jobs.add(job(change));
        }
        for (Job job : jobs) {
            pending.put(job.at(), job.change().generation());
            if (!queue.add(job)) {
                drop(job);
            }
        }
        CompletableFuture<?>[] all = jobs.stream().map(Job::done).toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(all).thenRunAsync(() -> {
            List<Outcome> outcomes = jobs.stream().map(job -> job.done().join()).toList();
            answered.run();
            disk.outbox().send(Frames.write(new Frames.Outcomes(false, frame.request(), disk.handle(), outcomes)));
        }, disk.workers().readers());
    }

    private Job job(Change change) throws BridgeException {
        if (((change.mask() | change.air()) & ~sections.getAsInt()) != 0) {
            throw new BridgeException(ErrorCode.OUTSIDE, "sections above the disk's own would be written");
        }
        char[][] blocks = new char[Column.SECTIONS][];
        for (int i = 0; i < Column.SECTIONS; i++) {
            if (change.sections()[i] != null) {
                blocks[i] = disk.palette().toStates(change.sections()[i]);
            }
        }
        return new Job(new ChunkPos(change.x(), change.z()), change, blocks, new CompletableFuture<>());
    }

    private void prepare(Job job) {
        disk.workers().read(() -> {
            CompletableFuture<Void> held;
            try {
                held = disk.world().hold(job.at(), job.change().replace());
            } catch (RuntimeException error) {
                held = CompletableFuture.failedFuture(error);
            }
            held.whenComplete((nothing, error) -> {
                if (error == null) {
                    queue.ready(job);
                } else {
                    finish(job, outcome(job, Failures.code(error), 0));
                }
            });
        });
    }

    /** Main thread: applies the next column; false where none is ready. */
    boolean applyNext() {
        Job job = paused && !queue.isClosed() ? null : queue.poll();
        if (job == null) {
            return false;
        }
        try {
            applyUnlessShut(job);
        } catch (RuntimeException error) {
            LOG.error("{} could not be written", job.at(), error);
            disk.world().release(job.at());
            disk.workers().read(() -> finish(job, outcome(job, ErrorCode.INTERNAL, 0)));
        }
        return true;
    }

    private void applyUnlessShut(Job job) {
        synchronized (applying) {
            if (!queue.isClosed()) {
                apply(job);
                return;
            }
        }
        disk.world().release(job.at());
        disk.workers().read(() -> finish(job, outcome(job, ErrorCode.STOPPING, 0)));
    }

    private void apply(Job job) {
        long edits = disk.known().edits(job.at());
        Column before = disk.world().peek(job.at());
        if (job.change().expect()) {
            long stamp = before.stamp(disk.air());
            if (stamp != job.change().stamp()) {
                disk.stats().conflicts.add(1);
                disk.world().release(job.at());
                disk.workers().read(() -> finish(job, outcome(job, ErrorCode.CONFLICT, stamp)));
                return;
            }
        }
        char[][] after = before.sections().clone();
        for (int i = 0; i < Column.SECTIONS; i++) {
            if ((job.mask() >> i & 1) != 0) {
                after[i] = job.sections()[i];
            }
        }
        disk.world().put(job.at(), job.mask(), job.sections());
        disk.known().written(job.at(), job.change().generation());
        if (!confirming.applied(job.at(), job.change().generation())) {
            // The earlier write of the column keeps the chunk in memory already.
            disk.world().release(job.at());
        }
        disk.stats().written.add(Integer.bitCount(job.mask()));
        disk.workers().read(() -> {
            long stamp = new Column(after).stamp(disk.air());
            disk.known().seen(job.at(), stamp, edits);
            finish(job, outcome(job, ErrorCode.DONE, stamp));
        });
    }

    private void finish(Job job, Outcome outcome) {
        pending.remove(job.at(), job.change().generation());
        queue.finished(job);
        job.done().complete(outcome);
        if (outcome.code() == 0) {
            confirming.soon();
        } else {
            confirming.dropped(job.at(), job.change().generation());
        }
    }

    private static Outcome outcome(Job job, ErrorCode code, long stamp) {
        return new Outcome(job.at().x(), job.at().z(), code.number(), stamp, job.change().generation());
    }
}
