package bbd.companion.paper;

import bbd.companion.blocks.ChunkPos;
import org.bukkit.Chunk;
import org.bukkit.ChunkSnapshot;
import org.bukkit.World;
import org.bukkit.block.Block;
import org.bukkit.block.data.BlockData;

/** A chunk in memory. */
record FakeChunk(FakeWorld world, ChunkPos at) implements Chunk {
    /** Any thread may look at it. */
    private record Snapshot(String[][] sections) implements ChunkSnapshot {
        @Override
        public BlockData getBlockData(int x, int y, int z) {
            return FakeData.of(sections[y >> 4][(y & 15) << 8 | z << 4 | x]);
        }

        @Override
        public boolean isSectionEmpty(int sy) {
            return sections[sy] == null;
        }
    }

    @Override
    public int getX() {
        return at.x();
    }

    @Override
    public int getZ() {
        return at.z();
    }

    @Override
    public World getWorld() {
        return world;
    }

    @Override
    public Block getBlock(int x, int y, int z) {
        return world.block(16 * at.x() + x, y, 16 * at.z() + z);
    }

    @Override
    public ChunkSnapshot getChunkSnapshot(boolean maxBlockY, boolean biome, boolean temperature) {
        world.server.requireMain();
        return new Snapshot(FakeWorld.copy(world.chunk(at)));
    }
}
