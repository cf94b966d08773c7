package bbd.companion.paper;

import com.destroystokyo.paper.event.server.ServerTickEndEvent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.bukkit.Server;
import org.bukkit.UnsafeValues;
import org.bukkit.World;
import org.bukkit.block.data.BlockData;
import org.bukkit.entity.Player;
import org.bukkit.plugin.Plugin;
import org.bukkit.plugin.PluginManager;
import org.bukkit.scheduler.BukkitScheduler;
import org.bukkit.scheduler.BukkitTask;

/** A server with a main thread of its own, which ticks when {@link #tick} is called, or by itself. */
final class FakeServer implements Server, BukkitScheduler, AutoCloseable {
    final FakeManager manager = new FakeManager();
    final List<World> worlds = new ArrayList<>();
    final List<Player> players = new ArrayList<>();
    private final List<Runnable> tasks = new ArrayList<>();
    private final ConcurrentLinkedQueue<Runnable> soon = new ConcurrentLinkedQueue<>();
    private volatile Thread main;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(work -> {
        main = new Thread(work, "Server thread");
        main.setDaemon(true);
        return main;
    });
    volatile long ticks;
    /** Whether anything ever comes of {@link #later}, and how often it was asked for. */
    volatile boolean loading = true;
    volatile int asked;
    private volatile Throwable failed;

    static void sleep(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
    }

    void requireMain() {
        if (!isPrimaryThread()) {
            throw new AssertionError("asked for on " + Thread.currentThread().getName());
        }
    }

    /** On the main thread, in one of the next ticks. */
    void later(Runnable work) {
        asked++;
        if (loading) {
            soon.add(work);
        }
    }

    /** What the main thread says. */
    <T> T onMain(Callable<T> work) {
        try {
            return thread.submit(work).get(30, TimeUnit.SECONDS);
        } catch (ExecutionException error) {
            throw new AssertionError(error.getCause());
        } catch (Exception error) {
            throw new AssertionError(error);
        }
    }

    void run(Runnable work) {
        onMain(() -> {
            work.run();
            return null;
        });
    }

    void tick() {
        run(this::once);
    }

    private void once() {
        ticks++;
        try {
            for (Runnable work = soon.poll(); work != null; work = soon.poll()) {
                work.run();
            }
            List.copyOf(tasks).forEach(Runnable::run);
            manager.call(new ServerTickEndEvent(1, 2, 48));
        } catch (RuntimeException | Error error) {
            failed = error;
        }
    }

    /** Ticks from now on. */
    void goOn() {
        thread.scheduleAtFixedRate(this::once, 5, 5, TimeUnit.MILLISECONDS);
    }

    /** Ends the main thread; what failed in a tick fails here. */
    @Override
    public void close() {
        thread.shutdown();
        if (failed != null) {
            throw new AssertionError("a tick failed", failed);
        }
    }

    @Override
    public boolean isPrimaryThread() {
        return Thread.currentThread() == main;
    }

    @Override
    public BukkitTask runTaskTimer(Plugin plugin, Runnable task, long delay, long period) {
        tasks.add(task);
        return () -> tasks.remove(task);
    }

    @Override
    public BlockData createBlockData(String data) {
        return FakeData.of(data);
    }

    @Override
    public String getName() {
        return "Paper";
    }

    @Override
    public String getVersion() {
        return "1.21-130-b1b5d4c (MC: 1.21)";
    }

    @Override
    public String getMinecraftVersion() {
        return "1.21";
    }

    @Override
    public Collection<? extends Player> getOnlinePlayers() {
        return players;
    }

    @Override
    public List<World> getWorlds() {
        return worlds;
    }

    @Override
    public PluginManager getPluginManager() {
        return manager;
    }

    @Override
    public BukkitScheduler getScheduler() {
        return this;
    }

    @Override
    @Deprecated
    public UnsafeValues getUnsafe() {
        return new UnsafeValues() {
            @Override
            public int getDataVersion() {
                return 3953;
            }

            @Override
            public int getProtocolVersion() {
                return 767;
            }
        };
    }
}
