package bbd.companion.minestom;

import bbd.companion.disk.Descriptor;
import bbd.companion.geometry.Geometry;
import bbd.companion.session.Disks;
import java.util.List;
import java.util.Random;
import net.minestom.server.coordinate.BlockVec;
import net.minestom.server.coordinate.Point;
import net.minestom.server.instance.block.Block;
import net.minestom.server.network.packet.server.play.ParticlePacket;
import net.minestom.server.particle.Particle;

/** Ways to damage a disk for fun: an explosion, and a thief who takes a block now and then. */
final class Tricks {
    static final int MOST_RADIUS = 32;
    private static final int TRIES = 64;
    private final Edit edit;
    private final Disks disks;
    private final Random random = new Random();
    private volatile boolean thief;

    Tricks(Edit edit, Disks disks) {
        this.edit = edit;
        this.disks = disks;
    }

    /** Takes all blocks within {@code radius} that may be taken; returns how many. */
    int explode(World world, Point centre, int radius, String who) {
        int taken = 0;
        for (int dx = -radius; dx <= radius; dx++) {
            for (int dy = -radius; dy <= radius; dy++) {
                for (int dz = -radius; dz <= radius; dz++) {
                    if (dx * dx + dy * dy + dz * dz <= radius * radius
                            && take(world, centre.add(dx, dy, dz), "entity_explode", who)) {
                        taken++;
                    }
                }
            }
        }
        world.instance().sendGroupedPacket(new ParticlePacket(Particle.EXPLOSION_EMITTER, centre, new BlockVec(0, 0, 0),
                0, 1));
        return taken;
    }

    void thief(boolean on) {
        thief = on;
    }

    boolean thief() {
        return thief;
    }

    /** Now and then: takes a block of a disk, where chunks are loaded. */
    void steal(World world) {
        List<Descriptor> all = disks.all().stream().filter(disk -> disk.dimension().equals(world.name())).toList();
        if (!thief || all.isEmpty()) {
            return;
        }
        Descriptor disk = all.get(random.nextInt(all.size()));
        for (int i = 0; i < TRIES; i++) {
            Geometry.Block block = disk.geometry().locate(random.nextLong(disk.size())).get(0);
            if (take(world, new BlockVec(block.x(), block.y(), block.z()), "entity_change_block", "thief")) {
                return;
            }
        }
    }

    private boolean take(World world, Point at, String cause, String who) {
        return world.instance().isChunkLoaded(at.chunkX(), at.chunkZ()) && !edit.state(world, at).isAir()
                && edit.change(world, at, Block.AIR, cause, who);
    }
}
