package org.bukkit;

import org.bukkit.block.data.BlockData;

public interface ChunkSnapshot {
    BlockData getBlockData(int x, int y, int z);

    boolean isSectionEmpty(int sy);
}
