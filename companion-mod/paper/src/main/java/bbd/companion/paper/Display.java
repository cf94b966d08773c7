package bbd.companion.paper;

import bbd.companion.Companion;
import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.command.Commands.Place;
import bbd.companion.disk.Descriptor;
import bbd.companion.geometry.Geometry;
import bbd.companion.geometry.Values;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import net.kyori.adventure.bossbar.BossBar;
import net.kyori.adventure.text.Component;
import org.bukkit.Location;
import org.bukkit.Particle;
import org.bukkit.Server;
import org.bukkit.World;
import org.bukkit.block.Block;
import org.bukkit.entity.Player;

/** What players are shown of the disks: the byte that they look at, what clients do, and where they write. Main thread. */
final class Display {
    private static final String SHOWN = "bbd.show";
    private static final int REACH = 24;
    private static final int SPARKLES = 64;
    private static final double NEAR = 128;
    private final Server server;
    private final PaperServer worlds;
    private final Companion companion;
    private final Values values;
    private final Map<String, BossBar> bars = new HashMap<>();
    private final Queue<Written> written = new ArrayDeque<>();
    private final Set<UUID> sparkling = new HashSet<>();

    private record Written(World world, ChunkPos at) {}

    Display(Server server, PaperServer worlds, Companion companion, Values values) {
        this.server = server;
        this.worlds = worlds;
        this.companion = companion;
        this.values = values;
    }

    void sparkle(Player player, boolean on) {
        if (on) {
            sparkling.add(player.getUniqueId());
        } else {
            sparkling.remove(player.getUniqueId());
        }
    }

    /** A column was written. */
    void written(World world, ChunkPos at) {
        if (!sparkling.isEmpty() && written.size() < SPARKLES) {
            written.add(new Written(world, at));
        }
    }

    /** Often: what they look at, and what was written. */
    void show() {
        for (Player player : server.getOnlinePlayers()) {
            if (player.hasPermission(SHOWN)) {
                line(player).ifPresent(line -> player.sendActionBar(Component.text(line)));
            }
        }
        for (Written one = written.poll(); one != null; one = written.poll()) {
            sparkle(one);
        }
    }

    private void sparkle(Written one) {
        Location middle = new Location(one.world, 16 * one.at.x() + 8, 128, 16 * one.at.z() + 8);
        for (Player player : one.world.getPlayers()) {
            Location here = player.getLocation();
            if (sparkling.contains(player.getUniqueId())
                    && Math.hypot(here.getX() - middle.getX(), here.getZ() - middle.getZ()) < NEAR) {
                player.spawnParticle(Particle.END_ROD, middle, 100, 4, 64, 4, 0.01);
            }
        }
    }

    private Optional<String> line(Player player) {
        Optional<String> dimension = worlds.nameOf(player.getWorld());
        Block block = dimension.isPresent() ? player.getTargetBlockExact(REACH) : null;
        if (block == null) {
            return Optional.empty();
        }
        return companion.commands().what(dimension.get(), block.getX(), block.getY(), block.getZ())
                .map(place -> place.describe(value(place, player.getWorld())));
    }

    private int value(Place place, World world) {
        return companion.disks().named(place.disk())
                .map(disk -> values.at(disk, place.offset(), block -> state(world, block))).orElse(-1);
    }

    private static BlockState state(World world, Geometry.Block at) {
        return BlockState.parse(world.getBlockAt(at.x(), at.y(), at.z()).getBlockData().getAsString());
    }

    /** Once a second: what the clients of open disks do, for those who are in the same world. */
    void showActivity() {
        for (Descriptor disk : companion.disks().all()) {
            boolean open = companion.disks().opened(disk.name()).isPresent();
            BossBar bar = bars.computeIfAbsent(disk.name(), name -> BossBar.bossBar(Component.empty(), 1,
                    BossBar.Color.GREEN, BossBar.Overlay.PROGRESS));
            bar.name(Component.text(companion.commands().activity(disk.name())));
            for (Player player : server.getOnlinePlayers()) {
                if (open && player.hasPermission(SHOWN)
                        && worlds.nameOf(player.getWorld()).filter(disk.dimension()::equals).isPresent()) {
                    player.showBossBar(bar);
                } else {
                    player.hideBossBar(bar);
                }
            }
        }
    }

    /** The plugin stops. */
    void hide() {
        for (Player player : server.getOnlinePlayers()) {
            bars.values().forEach(player::hideBossBar);
        }
    }
}
