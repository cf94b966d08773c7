package org.bukkit.block;

import org.bukkit.World;
import org.bukkit.block.data.BlockData;

public interface Block {
    World getWorld();

    int getX();

    int getY();

    int getZ();

    BlockData getBlockData();

    void setBlockData(BlockData data, boolean applyPhysics);

    Block getRelative(BlockFace face);

    boolean isLiquid();
}
