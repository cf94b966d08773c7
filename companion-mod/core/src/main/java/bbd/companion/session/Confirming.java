package bbd.companion.session;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Frames.Outcome;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Columns that stand in the running server, until they are safe; it tells the client, and lets the chunks go. */
final class Confirming {
    private static final Logger LOG = LoggerFactory.getLogger(Confirming.class);
    private static final int SOON_MILLIS = 20;
    private static final int RETRY_MILLIS = 1000;
    private static final int AT_ONCE = 256;

    private final Context disk;
    private final String name;
    private final ReadBack readBack;
    private final Unconfirmed unconfirmed = new Unconfirmed();
    private final AtomicBoolean running = new AtomicBoolean();
    private boolean complained;

    Confirming(Context disk, String name) {
        this.disk = disk;
        this.name = name;
        this.readBack = new ReadBack(disk.world());
    }

    int size() {
        return unconfirmed.size();
    }

    /** See {@link Unconfirmed#applied}. */
    boolean applied(ChunkPos at, long generation) {
        return unconfirmed.applied(at, generation);
    }

    /** See {@link Unconfirmed#dropped}. */
    void dropped(ChunkPos at, long generation) {
        unconfirmed.dropped(at, generation);
    }

    /** Begins soon, so that many columns share what confirming costs. */
    void soon() {
        within(SOON_MILLIS);
    }

    private void within(int millis) {
        if (unconfirmed.size() > 0 && running.compareAndSet(false, true)) {
            disk.workers().saveLater(millis, this::confirmAll);
        }
    }

    private void confirmAll() {
        boolean again = false;
        unconfirmed.begin();
        try {
            List<Map.Entry<ChunkPos, Long>> all = new ArrayList<>(unconfirmed.all().entrySet());
            for (int i = 0; i < all.size(); i += AT_ONCE) {
                again |= !confirm(all.subList(i, Math.min(all.size(), i + AT_ONCE)));
            }
            complained = false;
        } catch (IOException | RuntimeException error) {
            again = true;
            complain(error);
        } finally {
            running.set(false);
        }
        within(again ? RETRY_MILLIS : SOON_MILLIS);
    }

    /** Returns whether all of them are. */
    private boolean confirm(List<Map.Entry<ChunkPos, Long>> some) throws IOException {
        Map<ChunkPos, Long> wanted = new HashMap<>();
        some.forEach(entry -> wanted.put(entry.getKey(), entry.getValue()));
        Set<ChunkPos> safe = readBack.confirm(wanted);
        List<Outcome> told = new ArrayList<>();
        for (ChunkPos at : safe) {
            long generation = wanted.get(at);
            if (unconfirmed.confirmed(at, generation)) {
                disk.world().release(at);
            }
            told.add(new Outcome(at.x(), at.z(), 0, 0, generation));
        }
        // Before those who wait for it, who may close the connection.
        tell(told);
        unconfirmed.settle();
        disk.stats().confirmed.add(told.size());
        return safe.size() == wanted.size();
    }

    private void complain(Exception error) {
        ErrorCode code = Failures.code(error);
        disk.stats().errors.add(1);
        List<Outcome> told = new ArrayList<>();
        unconfirmed.failed(code).forEach(
                (at, generation) -> told.add(new Outcome(at.x(), at.z(), code.number(), 0, generation)));
        if (!complained) {
            complained = true;
            LOG.error("what was written to disk {} can't be made safe for now; trying on", name, error);
        }
        tell(told);
    }

    private void tell(List<Outcome> outcomes) {
        for (int i = 0; i < outcomes.size(); i += Character.MAX_VALUE) {
            List<Outcome> some = outcomes.subList(i, Math.min(outcomes.size(), i + Character.MAX_VALUE));
            disk.outbox().send(Frames.write(new Frames.Outcomes(true, 0, disk.handle(), some)));
        }
    }

    /**
     * Completes when everything applied so far, and what of {@code pending} is, is confirmed ({@code DONE}) or can't be
     * now (the error).
     */
    CompletableFuture<ErrorCode> settled(Map<ChunkPos, Long> pending) {
        Map<ChunkPos, Long> wanted = new HashMap<>(unconfirmed.all());
        wanted.putAll(pending);
        CompletableFuture<ErrorCode> done = unconfirmed.wait(wanted);
        within(0);
        return done;
    }
}
