package bbd.companion.session;

import bbd.companion.anvil.UnreadableChunk;
import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import bbd.companion.blocks.Palette;
import bbd.companion.disk.Descriptor;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Frames.Change;
import bbd.companion.protocol.Frames.Outcome;
import bbd.companion.protocol.Frames.Standing;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A disk that a client has open: reads, writes on their way into the world, and their confirmation. Work is done on the
 * threads of {@link Workers} but for {@link #applyNext}, which is the main thread's.
 */
public final class OpenDisk {
    private static final Logger LOG = LoggerFactory.getLogger(OpenDisk.class);
    private static final int CONFIRM_AFTER_MILLIS = 100;
    private static final int RETRY_AFTER_MILLIS = 1000;
    private static final int CONFIRM_AT_ONCE = 256;
    private static final int REMEMBERED_STAMPS = 1 << 17;

    private final int handle;
    private final WorldAdapter world;
    private final Outbox outbox;
    private final Workers workers;
    private final DiskStats stats;
    private final Palette palette;
    private final char air;
    private final ReadBack readBack;
    private final WriteQueue queue = new WriteQueue(this::prepare);
    private final Unconfirmed unconfirmed = new Unconfirmed();
    private final Map<ChunkPos, Long> generations = new ConcurrentHashMap<>();
    private final Map<ChunkPos, Long> stamps = new ConcurrentHashMap<>();
    private final Map<ChunkPos, Long> pending = new ConcurrentHashMap<>();
    private final AtomicBoolean confirming = new AtomicBoolean();
    /** Held while a column is applied, and while the queue is closed. */
    private final Object applying = new Object();
    private volatile Descriptor descriptor;
    private volatile boolean paused;
    private boolean complained;

    OpenDisk(int handle, Descriptor descriptor, List<BlockState> agreed, WorldAdapter world, Outbox outbox,
            Workers workers, DiskStats stats) throws BridgeException {
        this.handle = handle;
        this.descriptor = descriptor;
        this.world = world;
        this.outbox = outbox;
        this.workers = workers;
        this.stats = stats;
        this.air = world.states().air();
        this.readBack = new ReadBack(world);
        this.palette = new Palette(agreed, world.states(), this::tellBlocks);
    }

    public Descriptor descriptor() {
        return descriptor;
    }

    int handle() {
        return handle;
    }

    WorldAdapter world() {
        return world;
    }

    public boolean paused() {
        return paused;
    }

    /** How many columns wait to be applied. */
    public int waiting() {
        return queue.size();
    }

    public int unconfirmed() {
        return unconfirmed.size();
    }

    /** The client has replaced the descriptor. */
    void replaceDescriptor(Descriptor fresh) {
        descriptor = fresh;
    }

    // Reading

    void read(Frames.Read frame, Runnable answered) throws BridgeException {
        for (Frames.Wanted wanted : frame.columns()) {
            requireOurs(wanted.x(), wanted.z());
        }
        workers.read(() -> {
            List<CompletableFuture<Standing>> all = new ArrayList<>();
            for (Frames.Wanted wanted : frame.columns()) {
                all.add(look(wanted));
            }
            CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).whenCompleteAsync((nothing, error) -> {
                List<Standing> columns = all.stream().map(CompletableFuture::join).toList();
                answered.run();
                outbox.send(Frames.write(new Frames.Columns(frame.request(), handle, columns)));
            }, workers.readers());
        });
    }

    private CompletableFuture<Standing> look(Frames.Wanted wanted) {
        ChunkPos at = new ChunkPos(wanted.x(), wanted.z());
        CompletableFuture<Optional<Column>> looked;
        try {
            looked = world.look(at);
        } catch (RuntimeException error) {
            looked = CompletableFuture.failedFuture(error);
        }
        return looked.handleAsync((found, error) -> {
            if (error != null) {
                stats.errors.add(1);
                return Standing.unreadable(at.x(), at.z(), why(error));
            }
            return found.map(column -> standing(at, wanted.mask(), column))
                    .orElseGet(() -> Standing.absent(at.x(), at.z()));
        }, workers.readers());
    }

    private Standing standing(ChunkPos at, int mask, Column column) {
        char[][] sections = new char[Column.SECTIONS][];
        for (int i = 0; i < Column.SECTIONS; i++) {
            if ((mask >> i & 1) != 0 && !Column.isAir(column.sections()[i], air)) {
                sections[i] = palette.toIndices(column.sections()[i]);
            }
        }
        stats.read.add(Integer.bitCount(mask));
        long stamp = column.stamp(air);
        remember(at, stamp);
        return new Standing(at.x(), at.z(), Frames.Status.PRESENT, stamp, generations.getOrDefault(at, 0L), sections,
                "");
    }

    private void tellBlocks(int first, List<BlockState> states) {
        List<Map<String, Object>> blocks = new ArrayList<>();
        for (BlockState state : states) {
            Map<String, Object> block = new LinkedHashMap<>();
            block.put("name", state.name());
            if (!state.properties().isEmpty()) {
                block.put("properties", state.properties());
            }
            blocks.add(block);
        }
        outbox.send(Map.of("push", "blocks", "disk", handle, "first", first, "blocks", blocks));
    }

    // Writing

    void write(Frames.Write frame, Runnable answered) throws BridgeException {
        List<Job> jobs = new ArrayList<>();
        for (Change change : frame.columns()) {
            jobs.add(job(change));
        }
        for (Job job : jobs) {
            pending.put(job.at(), job.change().generation());
            if (!queue.add(job)) {
                job.done().complete(outcome(job, ErrorCode.STOPPING, 0));
            }
        }
        CompletableFuture<?>[] all = jobs.stream().map(Job::done).toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(all).thenRunAsync(() -> {
            List<Outcome> outcomes = jobs.stream().map(job -> job.done().join()).toList();
            answered.run();
            outbox.send(Frames.write(new Frames.Outcomes(false, frame.request(), handle, outcomes)));
        }, workers.readers());
    }

    private Job job(Change change) throws BridgeException {
        requireOurs(change.x(), change.z());
        if (((change.mask() | change.air()) & ~descriptor.sections()) != 0) {
            throw new BridgeException(ErrorCode.OUTSIDE, "sections above the disk's own would be written");
        }
        char[][] sections = new char[Column.SECTIONS][];
        for (int i = 0; i < Column.SECTIONS; i++) {
            if (change.sections()[i] != null) {
                sections[i] = palette.toStates(change.sections()[i]);
            }
        }
        return new Job(new ChunkPos(change.x(), change.z()), change, sections, new CompletableFuture<>());
    }

    private void prepare(Job job) {
        workers.read(() -> {
            CompletableFuture<Void> held;
            try {
                held = world.hold(job.at(), job.change().replace());
            } catch (RuntimeException error) {
                held = CompletableFuture.failedFuture(error);
            }
            held.whenComplete((nothing, error) -> {
                if (error == null) {
                    queue.ready(job);
                } else {
                    finish(job, outcome(job, code(error), 0));
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
            world.release(job.at());
            workers.read(() -> finish(job, outcome(job, ErrorCode.INTERNAL, 0)));
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
        world.release(job.at());
        workers.read(() -> finish(job, outcome(job, ErrorCode.STOPPING, 0)));
    }

    private void apply(Job job) {
        Column before = world.peek(job.at());
        if (job.change().expect()) {
            long stamp = before.stamp(air);
            if (stamp != job.change().stamp()) {
                stats.conflicts.add(1);
                world.release(job.at());
                workers.read(() -> finish(job, outcome(job, ErrorCode.CONFLICT, stamp)));
                return;
            }
        }
        char[][] after = before.sections().clone();
        for (int i = 0; i < Column.SECTIONS; i++) {
            if ((job.mask() >> i & 1) != 0) {
                after[i] = job.sections()[i];
            }
        }
        world.put(job.at(), job.mask(), job.sections());
        generations.put(job.at(), job.change().generation());
        if (!unconfirmed.applied(job.at(), job.change().generation())) {
            // The earlier write of the column keeps the chunk in memory already.
            world.release(job.at());
        }
        stats.written.add(Integer.bitCount(job.mask()));
        workers.read(() -> {
            long stamp = new Column(after).stamp(air);
            remember(job.at(), stamp);
            finish(job, outcome(job, ErrorCode.DONE, stamp));
        });
    }

    private void finish(Job job, Outcome outcome) {
        pending.remove(job.at(), job.change().generation());
        queue.finished(job);
        job.done().complete(outcome);
        if (outcome.code() == 0) {
            confirmSoon(CONFIRM_AFTER_MILLIS);
        } else {
            unconfirmed.dropped(job.at(), job.change().generation());
        }
    }

    private static Outcome outcome(Job job, ErrorCode code, long stamp) {
        return new Outcome(job.at().x(), job.at().z(), code.number(), stamp, job.change().generation());
    }

    // Confirming

    private void confirmSoon(int millis) {
        if (unconfirmed.size() > 0 && confirming.compareAndSet(false, true)) {
            workers.saveLater(millis, this::confirmAll);
        }
    }

    private void confirmAll() {
        boolean again = false;
        try {
            List<Map.Entry<ChunkPos, Long>> all = new ArrayList<>(unconfirmed.all().entrySet());
            for (int i = 0; i < all.size(); i += CONFIRM_AT_ONCE) {
                again |= !confirm(all.subList(i, Math.min(all.size(), i + CONFIRM_AT_ONCE)));
            }
            complained = false;
        } catch (IOException | RuntimeException error) {
            again = true;
            complain(error);
        } finally {
            confirming.set(false);
        }
        confirmSoon(again ? RETRY_AFTER_MILLIS : CONFIRM_AFTER_MILLIS);
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
                world.release(at);
            }
            told.add(new Outcome(at.x(), at.z(), 0, 0, generation));
        }
        // Before those who wait for it, who may close the connection.
        tell(told);
        unconfirmed.settle();
        stats.confirmed.add(told.size());
        return safe.size() == wanted.size();
    }

    private void complain(Exception error) {
        ErrorCode code = code(error);
        stats.errors.add(1);
        unconfirmed.failed(code);
        if (!complained) {
            complained = true;
            LOG.error("what was written to disk {} can't be made safe for now; trying on", descriptor.name(), error);
            List<Outcome> told = new ArrayList<>();
            unconfirmed.all().forEach(
                    (at, generation) -> told.add(new Outcome(at.x(), at.z(), code.number(), 0, generation)));
            tell(told);
        }
    }

    private void tell(List<Outcome> outcomes) {
        for (int i = 0; i < outcomes.size(); i += Character.MAX_VALUE) {
            List<Outcome> some = outcomes.subList(i, Math.min(outcomes.size(), i + Character.MAX_VALUE));
            outbox.send(Frames.write(new Frames.Outcomes(true, 0, handle, some)));
        }
    }

    /**
     * Completes when everything asked for so far is confirmed ({@code DONE}) or can't be now (the error).
     */
    CompletableFuture<ErrorCode> settled() {
        Map<ChunkPos, Long> wanted = new HashMap<>(unconfirmed.all());
        if (!paused) {
            wanted.putAll(pending);
        }
        CompletableFuture<ErrorCode> done = unconfirmed.wait(wanted);
        confirmSoon(0);
        return done;
    }

    /** Forces the region files of the disk's place to disk, whoever wrote them. */
    void forceFiles() throws IOException {
        Set<ChunkPos> ours = new HashSet<>();
        for (ChunkPos region : world.files().regions()) {
            if (touches(region)) {
                ours.add(region);
            }
        }
        try (var files = world.files().anew()) {
            files.force(ours);
        }
    }

    /** Whether a region holds chunks of the disk. */
    boolean touches(ChunkPos region) {
        for (int index = 0; index < 1024; index++) {
            if (descriptor.holds(region.chunk(index))) {
                return true;
            }
        }
        return false;
    }

    /** While paused nothing is applied. */
    void pause(boolean wanted) {
        paused = wanted;
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
        for (Job job : dropped) {
            job.done().complete(outcome(job, ErrorCode.STOPPING, 0));
        }
    }

    /** Whether it takes no more writes, and has none left. */
    boolean isOver() {
        return queue.isClosed() && queue.size() == 0 && unconfirmed.size() == 0;
    }

    // Changes by others

    /** Somebody changed a block of the column: its stamp is not known any more. */
    public void edited(ChunkPos at) {
        stamps.remove(at);
    }

    private void remember(ChunkPos at, long stamp) {
        if (stamps.size() < REMEMBERED_STAMPS || stamps.containsKey(at)) {
            stamps.put(at, stamp);
        }
    }

    /**
     * Looks at a column whose stamp is known: whether it was changed in a way that nobody told. Blocks on files; not for
     * the main thread.
     */
    public boolean changedUnseen(ChunkPos at) {
        Long known = stamps.get(at);
        if (known == null || queue.holds(at)) {
            return false;
        }
        try {
            long now = ReadBack.await(world.look(at)).orElseGet(Column::empty).stamp(air);
            return now != known && !queue.holds(at) && stamps.replace(at, known, now);
        } catch (IOException error) {
            LOG.warn("{} of disk {} can't be read: {}", at, descriptor.name(), error.getMessage());
            return false;
        }
    }

    /** Columns whose stamp is known. */
    public Set<ChunkPos> knownColumns() {
        return stamps.keySet();
    }

    private void requireOurs(int x, int z) throws BridgeException {
        if (descriptor.column(x, z).isEmpty()) {
            throw new BridgeException(ErrorCode.OUTSIDE, new ChunkPos(x, z) + " is not the disk's");
        }
    }

    static ErrorCode code(Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        if (cause instanceof UnreadableChunk) {
            return ErrorCode.UNREADABLE;
        }
        if (cause instanceof BridgeException known) {
            return known.code();
        }
        if (cause instanceof IOException) {
            return String.valueOf(cause.getMessage()).contains("No space left") ? ErrorCode.NO_SPACE : ErrorCode.IO;
        }
        LOG.error("a fault of the companion", cause);
        return ErrorCode.INTERNAL;
    }

    private static String why(Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        return String.valueOf(cause.getMessage() == null ? cause : cause.getMessage());
    }
}
