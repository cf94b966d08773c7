package org.bukkit.event.block;

import org.bukkit.block.Block;
import org.bukkit.block.BlockFace;
import org.bukkit.event.Cancellable;

public abstract class BlockPistonEvent extends BlockEvent implements Cancellable {
    private final BlockFace direction;
    private boolean cancelled;

    public BlockPistonEvent(Block block, BlockFace direction) {
        super(block);
        this.direction = direction;
    }

    public BlockFace getDirection() {
        return direction;
    }

    @Override
    public boolean isCancelled() {
        return cancelled;
    }

    @Override
    public void setCancelled(boolean cancel) {
        cancelled = cancel;
    }
}
