package bbd.companion.paper;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.bukkit.World;

/** Asks the server to save a world, not too often: each time it goes through all that is unsaved. */
final class Saver {
    private final World world;
    private final MainThread main;
    private final long pause;
    private CompletableFuture<Void> wanted;
    private long last;
    private boolean saved;
    private boolean hurried;

    /** {@code seconds} pass at least between two saves; 0: none is ever asked for. */
    Saver(World world, MainThread main, int seconds) {
        this.world = world;
        this.main = main;
        this.pause = TimeUnit.SECONDS.toNanos(seconds);
    }

    /** Completes when the server was asked to save what stood when this was called, or does it by itself. */
    CompletableFuture<Void> save() {
        if (pause == 0 && !hurried()) {
            return CompletableFuture.completedFuture(null);
        }
        return main.compose(() -> {
            CompletableFuture<Void> done = next();
            tick();
            return done;
        });
    }

    private synchronized CompletableFuture<Void> next() {
        if (wanted == null) {
            wanted = new CompletableFuture<>();
        }
        return wanted;
    }

    private synchronized boolean hurried() {
        return hurried;
    }

    /** From now on there is no waiting: the server stops. */
    synchronized void hurry() {
        hurried = true;
    }

    /** Main thread, once a tick: saves where somebody waits for it and it is time. */
    void tick() {
        CompletableFuture<Void> due = due();
        if (due != null) {
            world.save();
            due.complete(null);
        }
    }

    private synchronized CompletableFuture<Void> due() {
        long now = System.nanoTime();
        if (wanted == null || saved && !hurried && now - last < pause) {
            return null;
        }
        CompletableFuture<Void> due = wanted;
        wanted = null;
        last = now;
        saved = true;
        return due;
    }
}
