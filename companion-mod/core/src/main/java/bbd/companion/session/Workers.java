package bbd.companion.session;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The core's own threads: some that read and translate, one that saves and confirms. None is ever interrupted, which
 * would close the files that it works on. */
public final class Workers implements AutoCloseable {
    private static final int READERS = Math.max(2, Math.min(4, Runtime.getRuntime().availableProcessors()));
    private final ExecutorService readers = Executors.newFixedThreadPool(READERS, named("bbd-read"));
    private final ExecutorService files = Executors.newSingleThreadExecutor(named("bbd-files"));
    private final ScheduledExecutorService saver = Executors.newSingleThreadScheduledExecutor(named("bbd-save"));

    Executor readers() {
        return readers;
    }

    void read(Runnable work) {
        run(readers, work);
    }

    /** For the disks' small files, one after the other. */
    void file(Runnable work) {
        run(files, work);
    }

    void saveLater(int millis, Runnable work) {
        try {
            saver.schedule(work, millis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException ended) {
            // The companion stops; what is not confirmed stays in the client's journal.
        }
    }

    /** Does something again and again; it must not throw. */
    public void every(int millis, Runnable work) {
        saver.scheduleWithFixedDelay(work, millis, millis, TimeUnit.MILLISECONDS);
    }

    private static void run(ExecutorService service, Runnable work) {
        try {
            service.execute(work);
        } catch (RejectedExecutionException ended) {
            // The same: the connection is gone by then.
        }
    }

    @Override
    public void close() {
        for (ExecutorService service : java.util.List.of(readers, files, saver)) {
            service.shutdown();
        }
    }

    private static ThreadFactory named(String name) {
        AtomicInteger count = new AtomicInteger();
        return work -> {
            Thread thread = new Thread(work, name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}
