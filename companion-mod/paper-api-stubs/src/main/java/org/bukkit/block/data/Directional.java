package org.bukkit.block.data;

import org.bukkit.block.BlockFace;

public interface Directional extends BlockData {
    BlockFace getFacing();
}
