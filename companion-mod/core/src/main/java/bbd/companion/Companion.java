package bbd.companion;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.command.Commands;
import bbd.companion.disk.Descriptor;
import bbd.companion.net.BridgeServer;
import bbd.companion.net.TokenFile;
import bbd.companion.server.Edits;
import bbd.companion.server.ServerAdapter;
import bbd.companion.server.TickBudget;
import bbd.companion.session.Disks;
import bbd.companion.session.OpenDisk;
import bbd.companion.session.Workers;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The companion in one server: what an adapter makes, ticks and closes. */
public final class Companion implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Companion.class);
    private static final int SWEEP_MILLIS = 500;
    private static final int SWEPT_AT_ONCE = 16;
    private static final int STOP_SECONDS = 60;
    private static final double NANOS = 1e6;

    private final Workers workers = new Workers();
    private final TickBudget budget;
    private final Disks disks;
    private final Edits edits;
    private final Commands commands;
    private final BridgeServer bridge;

    /**
     * Reads the world's disks and begins to listen.
     *
     * @param tls for {@code wss}; null for plain {@code ws}
     * @throws IOException where the descriptors' folder can't be read, or nothing can be bound
     */
    public Companion(ServerAdapter server, Config config, TokenFile token, SSLContext tls) throws IOException {
        budget = new TickBudget(config.tickMillis());
        disks = new Disks(server, config, token::accepts, workers, budget);
        edits = new Edits(disks);
        commands = new Commands(disks);
        disks.load();
        bridge = new BridgeServer(config, disks, workers, tls);
        bridge.begin();
        workers.every(SWEEP_MILLIS, this::sweep);
    }

    /**
     * Once a tick, on the main thread.
     *
     * @param lastMillis how long the tick before took, all of it
     */
    public void tick(double lastMillis) {
        budget.ticked(lastMillis);
        long start = System.nanoTime();
        disks.apply(start + (long) (NANOS * budget.next()));
        edits.flush();
        budget.used((System.nanoTime() - start) / NANOS);
    }

    public Edits edits() {
        return edits;
    }

    public Commands commands() {
        return commands;
    }

    public Disks disks() {
        return disks;
    }

    /** The port that it listens on. */
    public int port() {
        return bridge.getPort();
    }

    /** Looks at some columns for changes that no event has told. */
    private void sweep() {
        try {
            for (Descriptor descriptor : disks.all()) {
                disks.opened(descriptor.name()).ifPresent(this::sweep);
            }
        } catch (RuntimeException error) {
            LOG.error("looking for unseen changes failed", error);
        }
    }

    private void sweep(OpenDisk disk) {
        for (ChunkPos at : disk.changedUnseen(SWEPT_AT_ONCE)) {
            LOG.warn("{} of disk {} was changed, and no event told it", at, disk.descriptor().name());
            edits.unseen(disk.descriptor().name(), at, disk.descriptor().sections());
        }
    }

    /**
     * Says goodbye to clients, waits until what was applied is confirmed, and ends. While it waits the adapter's world
     * must still answer and save; ticks are not needed.
     */
    @Override
    public void close() {
        bridge.announceEnd("the server stops");
        try {
            disks.settled().get(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException error) {
            LOG.error("not all that was written could be made safe; the client still has it", error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
        bridge.end();
        workers.close();
    }
}
