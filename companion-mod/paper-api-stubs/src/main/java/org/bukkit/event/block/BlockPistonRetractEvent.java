package org.bukkit.event.block;

import java.util.List;
import org.bukkit.block.Block;
import org.bukkit.block.BlockFace;
import org.bukkit.event.HandlerList;

public class BlockPistonRetractEvent extends BlockPistonEvent {
    private static final HandlerList HANDLERS = new HandlerList();
    private final List<Block> blocks;

    public BlockPistonRetractEvent(Block block, List<Block> blocks, BlockFace direction) {
        super(block, direction);
        this.blocks = blocks;
    }

    public List<Block> getBlocks() {
        return blocks;
    }

    @Override
    public HandlerList getHandlers() {
        return HANDLERS;
    }

    public static HandlerList getHandlerList() {
        return HANDLERS;
    }
}
