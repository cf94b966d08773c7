package org.bukkit.block;

import org.bukkit.block.data.BlockData;

public interface BlockState {
    int getX();

    int getY();

    int getZ();

    BlockData getBlockData();
}
