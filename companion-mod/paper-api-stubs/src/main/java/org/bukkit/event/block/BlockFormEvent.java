package org.bukkit.event.block;

import org.bukkit.block.Block;
import org.bukkit.block.BlockState;
import org.bukkit.event.HandlerList;

public class BlockFormEvent extends BlockGrowEvent {
    private static final HandlerList HANDLERS = new HandlerList();

    public BlockFormEvent(Block block, BlockState newState) {
        super(block, newState);
    }

    @Override
    public HandlerList getHandlers() {
        return HANDLERS;
    }

    public static HandlerList getHandlerList() {
        return HANDLERS;
    }
}
