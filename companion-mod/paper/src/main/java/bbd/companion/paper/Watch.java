package bbd.companion.paper;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.server.BlockEdit;
import bbd.companion.server.Edits;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bukkit.block.Block;

/** Blocks of disks that an event has announced to change: what they have become is told when they have. Main thread. */
final class Watch {
    private final PaperServer worlds;
    private final Edits edits;
    private final Map<Spot, Expected> blocks = new LinkedHashMap<>();

    private record Spot(String dimension, int x, int y, int z) {}

    private static final class Expected {
        final Block block;
        final String cause;
        final String who;
        String was;
        int ticks;

        Expected(Block block, String was, String cause, String who) {
            this.block = block;
            this.was = was;
            this.cause = cause;
            this.who = who;
        }
    }

    Watch(PaperServer worlds, Edits edits) {
        this.worlds = worlds;
        this.edits = edits;
    }

    /** {@code was}: what the block is, or was where the event comes after the change; it is looked at for some ticks. */
    void expect(String dimension, Block block, String was, String cause, String who, int ticks) {
        Spot spot = new Spot(dimension, block.getX(), block.getY(), block.getZ());
        Expected one = blocks.computeIfAbsent(spot, key -> new Expected(block, was, cause, who));
        one.ticks = Math.max(one.ticks, ticks);
    }

    void tick() {
        for (Iterator<Map.Entry<Spot, Expected>> all = blocks.entrySet().iterator(); all.hasNext();) {
            Map.Entry<Spot, Expected> entry = all.next();
            Expected one = entry.getValue();
            Spot spot = entry.getKey();
            if (one.block.getWorld().isChunkLoaded(spot.x >> 4, spot.z >> 4)) {
                compare(spot, one);
            }
            if (--one.ticks <= 0) {
                all.remove();
            }
        }
    }

    private void compare(Spot spot, Expected one) {
        String now = one.block.getBlockData().getAsString();
        if (!now.equals(one.was)) {
            worlds.named(one.block.getWorld())
                    .ifPresent(world -> world.edited(new ChunkPos(spot.x >> 4, spot.z >> 4)));
            edits.changed(new BlockEdit(spot.dimension, spot.x, spot.y, spot.z, one.was, now, one.cause, one.who));
            one.was = now;
        }
    }
}
