package bbd.companion.paper;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.bukkit.World;
import org.bukkit.plugin.Plugin;

/** The chunks of a world that are kept in memory, each by one of the server's tickets. Main thread. */
final class Tickets {
    private final Plugin plugin;
    private final World world;
    private final MainThread main;
    private final Consumer<ChunkPos> told;
    private final Map<ChunkPos, Ticket> tickets = new HashMap<>();
    private boolean stopping;

    /** A chunk that is kept in memory, and for how many. */
    private static final class Ticket {
        final CompletableFuture<Void> ready = new CompletableFuture<>();
        int holders = 1;
    }

    /** {@code told} of every chunk that was loaded. */
    Tickets(Plugin plugin, World world, MainThread main, Consumer<ChunkPos> told) {
        this.plugin = plugin;
        this.world = world;
        this.main = main;
        this.told = told;
    }

    /** Completes when the chunk is in memory and stays there; each call counts. */
    CompletableFuture<Void> take(ChunkPos at) {
        if (stopping) {
            return CompletableFuture.failedFuture(stopped());
        }
        Ticket known = tickets.get(at);
        if (known != null) {
            known.holders++;
            return known.ready;
        }
        Ticket fresh = new Ticket();
        tickets.put(at, fresh);
        world.getChunkAtAsync(at.x(), at.z(), true).whenComplete((chunk, error) -> main.call(() -> {
            loaded(at, fresh, chunk == null && error == null ? new IOException("the server did not load it") : error);
            return null;
        }));
        return fresh.ready;
    }

    private void loaded(ChunkPos at, Ticket ticket, Throwable error) {
        if (stopping) {
            return;
        }
        try {
            if (error != null) {
                throw Failures.cause(error);
            }
            world.addPluginChunkTicket(at.x(), at.z(), plugin);
            told.accept(at);
            ticket.ready.complete(null);
        } catch (IOException | RuntimeException failure) {
            tickets.remove(at);
            ticket.ready.completeExceptionally(Failures.cause(failure));
        }
    }

    /** Takes back one {@link #take}. */
    void release(ChunkPos at) {
        Ticket ticket = tickets.get(at);
        if (ticket != null && --ticket.holders == 0) {
            tickets.remove(at);
            world.removePluginChunkTicket(at.x(), at.z(), plugin);
        }
    }

    /** While the plugin stops the server loads nothing, and nobody needs to wait for it. */
    void stop() {
        stopping = true;
        tickets.values().forEach(ticket -> ticket.ready.completeExceptionally(stopped()));
    }

    private static BridgeException stopped() {
        return new BridgeException(ErrorCode.STOPPING, "the server stops");
    }
}
