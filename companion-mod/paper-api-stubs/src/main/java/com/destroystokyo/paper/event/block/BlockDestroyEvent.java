package com.destroystokyo.paper.event.block;

import org.bukkit.block.Block;
import org.bukkit.block.data.BlockData;
import org.bukkit.event.Cancellable;
import org.bukkit.event.HandlerList;
import org.bukkit.event.block.BlockExpEvent;

public class BlockDestroyEvent extends BlockExpEvent implements Cancellable {
    private static final HandlerList HANDLERS = new HandlerList();
    private final BlockData newState;
    private boolean cancelled;

    public BlockDestroyEvent(Block block, BlockData newState, BlockData effectState, int expToDrop, boolean willDrop) {
        super(block, expToDrop);
        this.newState = newState;
    }

    public BlockData getNewState() {
        return newState;
    }

    @Override
    public boolean isCancelled() {
        return cancelled;
    }

    @Override
    public void setCancelled(boolean cancel) {
        cancelled = cancel;
    }

    @Override
    public HandlerList getHandlers() {
        return HANDLERS;
    }

    public static HandlerList getHandlerList() {
        return HANDLERS;
    }
}
