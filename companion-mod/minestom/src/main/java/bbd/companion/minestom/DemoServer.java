package bbd.companion.minestom;

import bbd.companion.Companion;
import bbd.companion.Config;
import bbd.companion.anvil.SessionLock;
import bbd.companion.disk.Descriptor;
import bbd.companion.geometry.Values;
import bbd.companion.net.TokenFile;
import bbd.companion.protocol.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import net.minestom.server.Auth;
import net.minestom.server.MinecraftServer;
import net.minestom.server.coordinate.Pos;
import net.minestom.server.entity.GameMode;
import net.minestom.server.entity.Player;
import net.minestom.server.event.GlobalEventHandler;
import net.minestom.server.event.player.AsyncPlayerConfigurationEvent;
import net.minestom.server.event.player.PlayerSpawnEvent;
import net.minestom.server.event.server.ServerTickMonitorEvent;
import net.minestom.server.timer.TaskSchedule;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A Minecraft server that shows one world and has the companion in it; it runs from its construction to {@link #stop}. */
final class DemoServer {
    private static final Logger LOG = LoggerFactory.getLogger(DemoServer.class);
    private static final int SAVE_SECONDS = 2;
    private static final int SHOW_TICKS = 4;
    private static final int SECOND_TICKS = 20;
    private static final int STEAL_TICKS = 100;
    private static final int NOON = 6000;

    private final Arguments arguments;
    private final SessionLock lock;
    private final Worlds worlds;
    private final Companion companion;
    private final ScheduledExecutorService saver = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("world-save").factory());
    private double lastTick;

    DemoServer(Arguments arguments, Pos spawn, SessionLock lock) throws IOException {
        this.arguments = arguments;
        this.lock = lock;
        TokenFile token = TokenFile.at(arguments.tokenFile());
        MinecraftServer server = MinecraftServer.init(new Auth.Offline());
        MinecraftServer.setBrandName("bbd");
        MinecraftServer.getExceptionManager().setExceptionHandler(DemoServer::complain);
        worlds = new Worlds(arguments.world());
        companion = companion(token);
        GlobalEventHandler events = MinecraftServer.getGlobalEventHandler();
        welcome(events, spawn);
        play(events);
        listen(server);
        saver.scheduleWithFixedDelay(this::save, SAVE_SECONDS, SAVE_SECONDS, TimeUnit.SECONDS);
    }

    private Companion companion(TokenFile token) throws IOException {
        Config config = Config.standard().withPort(arguments.bridgePort()).withProtect(arguments.protect());
        try {
            return new Companion(worlds, config, token, null);
        } catch (BindException error) {
            throw refused(arguments.bridgePort(), "--bridge-port", error);
        }
    }

    private void listen(MinecraftServer server) throws IOException {
        try {
            server.start(arguments.listen(), arguments.port());
        } catch (RuntimeException error) {
            // Minestom wraps what it could not do.
            if (error.getCause() instanceof IOException cause) {
                throw refused(arguments.port(), "--port", cause);
            }
            throw error;
        }
    }

    private static IOException refused(int port, String argument, IOException error) {
        return new IOException("port " + port + " can't be listened on (" + error.getMessage()
                + "): choose another one with " + argument, error);
    }

    private void welcome(GlobalEventHandler events, Pos spawn) {
        worlds.all().forEach(world -> world.instance().setTime(NOON));
        worlds.overworld().instance().loadChunk(spawn);
        events.addListener(AsyncPlayerConfigurationEvent.class, event -> {
            event.setSpawningInstance(worlds.overworld().instance());
            event.getPlayer().setRespawnPoint(spawn);
        });
        events.addListener(PlayerSpawnEvent.class, event -> {
            Player player = event.getPlayer();
            player.setGameMode(GameMode.CREATIVE);
            player.setAllowFlying(true);
            if (event.isFirstSpawn()) {
                player.sendMessage("This world holds disks: /bbd info, /bbd where 0, /boom 4, /thief on, /ticks");
            }
        });
    }

    private void play(GlobalEventHandler events) throws IOException {
        Edit edit = new Edit(companion.edits(), worlds.states());
        Tricks tricks = new Tricks(edit, companion.disks());
        Display display = new Display(companion, edit, new Values());
        new Hands(edit, worlds::of).listen(events);
        new GameCommands(companion, worlds, tricks, display).register(MinecraftServer.getCommandManager());
        worlds.overworld().watch(display::written);
        events.addListener(ServerTickMonitorEvent.class, event -> lastTick = event.getTickMonitor().getTickTime());
        every(1, () -> companion.tick(lastTick));
        every(SHOW_TICKS, () -> worlds.all().forEach(display::show));
        every(SECOND_TICKS, () -> {
            display.showActivity();
            worlds.all().forEach(World::unloadIdle);
        });
        every(STEAL_TICKS, () -> worlds.all().forEach(tricks::steal));
    }

    private static void every(int ticks, Runnable work) {
        MinecraftServer.getSchedulerManager().buildTask(work).repeat(TaskSchedule.tick(ticks)).schedule();
    }

    private void save() {
        try {
            worlds.save();
        } catch (IOException | RuntimeException error) {
            LOG.error("the world can't be saved for now, trying on: {}", error.getMessage());
        }
    }

    /** One line of JSON for whoever started it. */
    String ready() {
        Map<String, Object> said = new LinkedHashMap<>();
        int port = MinecraftServer.getServer().getPort();
        said.put("ready", true);
        said.put("minecraft", arguments.listen() + ":" + port);
        said.put("version", MinecraftServer.VERSION_NAME);
        said.put("protocol", MinecraftServer.PROTOCOL_VERSION);
        said.put("bridge", "ws://127.0.0.1:" + companion.port());
        said.put("token_file", arguments.tokenFile().toAbsolutePath().toString());
        said.put("disks", companion.disks().all().stream().map(Descriptor::name).toList());
        said.put("say", "Join " + arguments.listen() + ":" + port + " with Minecraft " + MinecraftServer.VERSION_NAME);
        return Json.write(said);
    }

    /** Saves, confirms, says goodbye and releases the world; returns whether all is safe. */
    boolean stop() {
        try {
            companion.close();
            MinecraftServer.stopCleanly();
            saver.shutdown();
            worlds.save();
            lock.close();
            return true;
        } catch (IOException | RuntimeException error) {
            LOG.error("stopping failed: {}", error.getMessage(), error);
            return false;
        }
    }

    private static void complain(Throwable error) {
        // Who asked for a chunk that can't be read is told, and the world's own log has a line on it; so is who starts
        // a server that can't listen.
        if (!(error instanceof IOException) && !(error instanceof UncheckedIOException)) {
            LOG.error("a fault in the server", error);
        }
    }
}
