package org.bukkit;

import org.bukkit.block.Block;

public interface Chunk {
    int getX();

    int getZ();

    World getWorld();

    Block getBlock(int x, int y, int z);

    ChunkSnapshot getChunkSnapshot(boolean includeMaxblocky, boolean includeBiome, boolean includeBiomeTempRain);
}
