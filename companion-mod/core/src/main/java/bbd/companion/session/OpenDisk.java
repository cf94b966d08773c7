package bbd.companion.session;

import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Palette;
import bbd.companion.disk.Descriptor;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Frames;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * A disk that a client has open: {@link Reading}, {@link Writing} into the world, and {@link Confirming}. Work is done
 * on the threads of {@link Workers} but for {@link #applyNext}, which is the main thread's.
 */
public final class OpenDisk {
    private final int handle;
    private final WorldAdapter world;
    private final Outbox outbox;
    private final Known known = new Known();
    private final Reading reading;
    private final Writing writing;
    private final Confirming confirming;
    private final Sweep sweep;
    private volatile Descriptor descriptor;

    OpenDisk(int handle, Descriptor descriptor, List<BlockState> agreed, WorldAdapter world, Outbox outbox,
            Workers workers, DiskStats stats) throws BridgeException {
        this.handle = handle;
        this.descriptor = descriptor;
        this.world = world;
        this.outbox = outbox;
        Palette palette = new Palette(agreed, world.states(), this::tellBlocks);
        world.files().prefer(palette.agreed());
        Context context = new Context(handle, world, palette, outbox, workers, stats, known);
        reading = new Reading(context);
        confirming = new Confirming(context, descriptor.name());
        writing = new Writing(context, confirming, () -> this.descriptor.sections());
        sweep = new Sweep(context, descriptor.name(), writing::holds);
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
        return writing.paused();
    }

    /** How many columns wait to be applied. */
    public int waiting() {
        return writing.waiting();
    }

    public int unconfirmed() {
        return confirming.size();
    }

    /** The client has replaced the descriptor. */
    void replaceDescriptor(Descriptor fresh) {
        descriptor = fresh;
    }

    void read(Frames.Read frame, Runnable answered) throws BridgeException {
        for (Frames.Wanted wanted : frame.columns()) {
            requireOurs(wanted.x(), wanted.z());
        }
        reading.read(frame, answered);
    }

    void write(Frames.Write frame, Runnable answered) throws BridgeException {
        for (Frames.Change change : frame.columns()) {
            requireOurs(change.x(), change.z());
        }
        writing.write(frame, answered);
    }

    /** Main thread: applies the next column; false where none is ready. */
    boolean applyNext() {
        return writing.applyNext();
    }

    /**
     * Completes when everything asked for so far is confirmed ({@code DONE}) or can't be now (the error).
     */
    CompletableFuture<ErrorCode> settled() {
        return confirming.settled(writing.pending());
    }

    /** While paused nothing is applied. */
    void pause(boolean wanted) {
        writing.pause(wanted);
    }

    /** Takes no more writes, see {@link Writing#shut}. */
    void shut() {
        writing.shut();
    }

    /** Whether it takes no more writes, and has none left. */
    boolean isOver() {
        return writing.isOver() && confirming.size() == 0;
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

    /** Somebody changed a block of the column, which was told: its stamp is not known any more. */
    public void edited(ChunkPos at) {
        known.edited(at);
    }

    /** See {@link Sweep#look}. Not for the main thread. */
    public List<ChunkPos> changedUnseen(int most) {
        return sweep.look(most);
    }

    private void requireOurs(int x, int z) throws BridgeException {
        if (descriptor.column(x, z).isEmpty()) {
            throw new BridgeException(ErrorCode.OUTSIDE, new ChunkPos(x, z) + " is not the disk's");
        }
    }
}
