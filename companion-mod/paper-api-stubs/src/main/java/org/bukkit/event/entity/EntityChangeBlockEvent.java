package org.bukkit.event.entity;

import org.bukkit.block.Block;
import org.bukkit.block.data.BlockData;
import org.bukkit.entity.Entity;
import org.bukkit.event.Cancellable;
import org.bukkit.event.HandlerList;

public class EntityChangeBlockEvent extends EntityEvent implements Cancellable {
    private static final HandlerList HANDLERS = new HandlerList();
    private final Block block;
    private final BlockData to;
    private boolean cancelled;

    public EntityChangeBlockEvent(Entity what, Block block, BlockData to) {
        super(what);
        this.block = block;
        this.to = to;
    }

    public Block getBlock() {
        return block;
    }

    public BlockData getBlockData() {
        return to;
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
