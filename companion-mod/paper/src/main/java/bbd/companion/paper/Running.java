package bbd.companion.paper;

import bbd.companion.Companion;
import bbd.companion.Settings;
import bbd.companion.command.Commands;
import bbd.companion.disk.Copies;
import bbd.companion.disk.Descriptor;
import bbd.companion.geometry.Values;
import bbd.companion.net.Tls;
import bbd.companion.net.TokenFile;
import com.destroystokyo.paper.event.server.ServerTickEndEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.logging.Logger;
import javax.net.ssl.SSLContext;
import net.kyori.adventure.text.Component;
import org.bukkit.Server;
import org.bukkit.World;
import org.bukkit.entity.Player;
import org.bukkit.event.Event;
import org.bukkit.event.EventPriority;
import org.bukkit.event.Listener;
import org.bukkit.event.world.ChunkUnloadEvent;
import org.bukkit.event.world.WorldLoadEvent;
import org.bukkit.plugin.Plugin;
import org.bukkit.scheduler.BukkitTask;

/** The plugin at work, from {@link #begin} to {@link #stop}; all on the main thread. */
final class Running implements Listener {
    private static final int SHOW_TICKS = 4;
    private static final int SECOND_TICKS = 20;
    private static final int MINUTE_TICKS = 1200;
    /** The server's watchdog kills what does not tick for a minute. */
    private static final int STOP_SECONDS = 45;
    private static final double NANOS = 1e6;

    private final Plugin plugin;
    private final Server server;
    private final Logger log;
    private final ExecutorService workers = Executors.newFixedThreadPool(2,
            Thread.ofPlatform().daemon().name("bbd-world-", 1).factory());
    private final MainThread main;
    private final PaperServer worlds;
    private final Copies copies;
    private final Companion companion;
    private final Watch watch;
    private final Display display;
    private final GameCommands commands;
    private final double readMillis;
    private final String bind;
    private final List<Rule<?>> rules = Rules.all();
    private BukkitTask task;
    private double lastTick;
    private long ticks;

    /** Throws {@link IOException} with a line for the operator. */
    Running(Plugin plugin, Settings settings) throws IOException {
        this.plugin = plugin;
        this.server = plugin.getServer();
        this.log = plugin.getLogger();
        this.bind = settings.config().bind();
        this.readMillis = settings.config().tickMillis() / 2;
        Path folder = plugin.getDataFolder().toPath();
        main = new MainThread(server::isPrimaryThread);
        worlds = new PaperServer(plugin, settings.world(), settings.saveSeconds(), main, workers);
        copies = new Copies(worlds.world(), folder.resolve("disks").resolve(worlds.holding().replaceAll("\\W", "_")));
        copies.missing().forEach(log::warning);
        Values values = new Values();
        companion = new Companion(worlds, settings.config(), TokenFile.at(folder.resolve("token")),
                tls(folder, settings));
        watch = new Watch(worlds, companion.edits());
        display = new Display(server, worlds, companion, values);
        commands = new GameCommands(worlds, companion.commands(), display, main);
    }

    /** Where this fails, {@link #stop} is still needed. */
    void begin() {
        companion.disks().approvals().listen(this::asked);
        server.getWorlds().forEach(this::add);
        listen();
        task = server.getScheduler().runTaskTimer(plugin, this::tick, 1, 1);
        workers.execute(this::copy);
        log.info("The bridge listens on " + bind + ":" + companion.port() + ", the token is in "
                + plugin.getDataFolder().toPath().resolve("token") + "; disks: "
                + companion.disks().all().stream().map(Descriptor::name).toList());
    }

    private static SSLContext tls(Path folder, Settings settings) throws IOException {
        return settings.certificate().isEmpty()
                ? null
                : Tls.of(folder.resolve(settings.certificate()), folder.resolve(settings.key()));
    }

    private void add(World world) {
        try {
            worlds.add(world);
            worlds.named(world).ifPresent(ours -> ours.watch(at -> display.written(world, at)));
        } catch (IOException error) {
            log.severe("No disk can be in " + world.getName() + ": " + Failures.sentence(error));
        }
    }

    private interface Handler<E> {
        void handle(E event);
    }

    private void listen() {
        new BlockEvents(worlds, companion.disks(), companion.edits(), watch, rules).register(plugin);
        on(ServerTickEndEvent.class, event -> lastTick = event.getTickDuration());
        on(ChunkUnloadEvent.class, event -> worlds.named(event.getWorld())
                .ifPresent(world -> world.unloading(event.getChunk(), event.isSaveChunk())));
        on(WorldLoadEvent.class, event -> add(event.getWorld()));
    }

    private <E extends Event> void on(Class<E> type, Handler<E> handler) {
        server.getPluginManager().registerEvent(type, this, EventPriority.MONITOR, (listener, event) -> {
            if (type.isInstance(event)) {
                handler.handle(type.cast(event));
            }
        }, plugin, true);
    }

    GameCommands commands() {
        return commands;
    }

    Companion companion() {
        return companion;
    }

    PaperServer worlds() {
        return worlds;
    }

    private void tick() {
        ticks++;
        watch.tick();
        main.run(System.nanoTime() + (long) (NANOS * readMillis));
        companion.tick(lastTick);
        worlds.all().forEach(world -> world.saver().tick());
        if (ticks % SHOW_TICKS == 0) {
            display.show();
        }
        if (ticks % SECOND_TICKS == 0) {
            display.showActivity();
            workers.execute(() -> worlds.all().forEach(world -> world.leaving().forget()));
        }
        if (ticks % MINUTE_TICKS == 0) {
            workers.execute(this::copy);
        }
    }

    private void copy() {
        try {
            copies.refresh();
        } catch (IOException error) {
            log.warning("The disks' descriptors can't be copied: " + Failures.sentence(error));
        }
    }

    private void asked(Descriptor wanted) {
        main.call(() -> {
            String line = Commands.asked(wanted);
            log.warning(line);
            for (Player player : server.getOnlinePlayers()) {
                if (player.hasPermission("bbd.approve")) {
                    player.sendMessage(Component.text(line));
                }
            }
            return null;
        });
    }

    /** Ends when all that was written is saved, or can't be. */
    void stop() {
        if (task != null) {
            task.cancel();
        }
        worlds.all().forEach(world -> {
            world.stop();
            world.saver().hurry();
            world.saver().tick();
        });
        Thread closing = new Thread(companion::close, "bbd-stop");
        closing.start();
        main.runUntil(closing, STOP_SECONDS, () -> companion.tick(1));
        display.hide();
        copy();
        workers.shutdown();
    }
}
