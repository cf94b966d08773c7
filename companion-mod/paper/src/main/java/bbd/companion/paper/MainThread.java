package bbd.companion.paper;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Work for the server's main thread, which alone may touch chunks; done once a tick, and while the plugin stops. */
final class MainThread {
    private final BooleanSupplier isHere;
    private final LinkedBlockingQueue<Runnable> work = new LinkedBlockingQueue<>();
    private volatile boolean ended;

    /** {@code isHere}: whether the thread that asks is the main thread. */
    MainThread(BooleanSupplier isHere) {
        this.isHere = isHere;
    }

    /** Has something done: at once by the main thread itself, for others when its turn comes. */
    <T> CompletableFuture<T> call(Supplier<T> wanted) {
        return compose(() -> CompletableFuture.completedFuture(wanted.get()));
    }

    /** Has something done when its turn comes, never at once. */
    void later(Runnable wanted) {
        work.add(wanted);
    }

    /** As {@link #call}, for what takes longer than a turn. */
    <T> CompletableFuture<T> compose(Supplier<CompletableFuture<T>> wanted) {
        CompletableFuture<T> done = new CompletableFuture<>();
        Runnable task = () -> {
            try {
                wanted.get().whenComplete((value, error) -> {
                    if (error == null) {
                        done.complete(value);
                    } else {
                        done.completeExceptionally(error);
                    }
                });
            } catch (RuntimeException error) {
                done.completeExceptionally(error);
            }
        };
        if (isHere.getAsBoolean()) {
            task.run();
        } else if (ended) {
            done.completeExceptionally(new IOException("the server stops"));
        } else {
            work.add(task);
        }
        return done;
    }

    /** Main thread: does what waits, until it is done or the time ({@code nanoTime}) is up; at least one. */
    void run(long until) {
        for (Runnable task = work.poll(); task != null; task = System.nanoTime() - until < 0 ? work.poll() : null) {
            task.run();
        }
    }

    /**
     * Main thread: goes on until {@code over} has ended or so many seconds have passed, with {@code also} in between; then
     * nothing more is taken.
     */
    void runUntil(Thread over, int seconds, Runnable also) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        try {
            while (over.isAlive() && System.nanoTime() - end < 0) {
                also.run();
                Runnable task = work.poll(5, TimeUnit.MILLISECONDS);
                if (task != null) {
                    task.run();
                }
            }
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
        ended = true;
        run(Long.MAX_VALUE);
    }
}
