package bbd.companion.minestom;

import bbd.companion.Companion;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.command.Commands.Place;
import bbd.companion.disk.Descriptor;
import bbd.companion.geometry.Values;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import net.kyori.adventure.bossbar.BossBar;
import net.kyori.adventure.text.Component;
import net.minestom.server.MinecraftServer;
import net.minestom.server.coordinate.BlockVec;
import net.minestom.server.coordinate.Point;
import net.minestom.server.coordinate.Pos;
import net.minestom.server.coordinate.Vec;
import net.minestom.server.entity.Player;
import net.minestom.server.network.packet.server.play.ParticlePacket;
import net.minestom.server.particle.Particle;

/** What players are shown of the disks: the byte that they look at, what clients do, and where they write. */
final class Display {
    private static final double REACH = 24;
    private static final double STEP = 0.1;
    private static final int SPARKLES = 64;
    private static final double NEAR = 128;
    private final Companion companion;
    private final Edit edit;
    private final Values values;
    private final Map<String, BossBar> bars = new HashMap<>();
    private final Queue<ChunkPos> written = new ArrayDeque<>();
    private final Set<UUID> sparkling = ConcurrentHashMap.newKeySet();

    Display(Companion companion, Edit edit, Values values) {
        this.companion = companion;
        this.edit = edit;
        this.values = values;
    }

    void sparkle(Player player, boolean on) {
        if (on) {
            sparkling.add(player.getUuid());
        } else {
            sparkling.remove(player.getUuid());
        }
    }

    /** A column was written. */
    void written(ChunkPos at) {
        if (!sparkling.isEmpty() && written.size() < SPARKLES) {
            written.add(at);
        }
    }

    /** Often: what they look at, and what was written. */
    void show(World world) {
        for (Player player : world.instance().getPlayers()) {
            line(world, player).ifPresent(line -> player.sendActionBar(Component.text(line)));
        }
        for (ChunkPos at = written.poll(); at != null; at = written.poll()) {
            Vec middle = new Vec(16 * at.x() + 8, 128, 16 * at.z() + 8);
            ParticlePacket sparks = new ParticlePacket(Particle.END_ROD, middle, new Vec(4, 64, 4), 0.01f, 100);
            for (Player player : world.instance().getPlayers()) {
                Pos here = player.getPosition();
                if (sparkling.contains(player.getUuid()) && here.withY(0).distance(middle.withY(0)) < NEAR) {
                    player.sendPacket(sparks);
                }
            }
        }
    }

    /** Once a second: what the disks' clients do. */
    void showActivity() {
        for (Descriptor disk : companion.disks().all()) {
            BossBar bar = bars.computeIfAbsent(disk.name(), name -> BossBar.bossBar(Component.empty(), 1,
                    BossBar.Color.GREEN, BossBar.Overlay.PROGRESS));
            bar.name(
                    Component.text(companion.commands().activity(disk.name()) + " | " + Ticks.said(companion.disks())));
            for (Player player : MinecraftServer.getConnectionManager().getOnlinePlayers()) {
                MinecraftServer.getBossBarManager().addBossBar(player, bar);
            }
        }
    }

    private Optional<String> line(World world, Player player) {
        return target(world, player).flatMap(at -> {
            Optional<Place> place = companion.commands().what(world.name(), at.blockX(), at.blockY(), at.blockZ());
            return place.map(found -> found.describe(value(world, found)));
        });
    }

    private int value(World world, Place place) {
        return companion.disks().named(place.disk())
                .map(disk -> values.at(disk, place.offset(),
                        block -> edit.state(world, new BlockVec(block.x(), block.y(), block.z()))))
                .orElse(-1);
    }

    private Optional<Point> target(World world, Player player) {
        Pos eyes = player.getPosition().add(0, player.getEyeHeight(), 0);
        Vec direction = eyes.direction();
        for (double way = 0; way < REACH; way += STEP) {
            Point at = eyes.add(direction.mul(way));
            if (!edit.state(world, at).isAir()) {
                return Optional.of(at);
            }
        }
        return Optional.empty();
    }
}
