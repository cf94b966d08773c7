package org.bukkit.event.block;

import org.bukkit.block.Block;
import org.bukkit.entity.Entity;
import org.bukkit.entity.Player;
import org.bukkit.event.Cancellable;
import org.bukkit.event.HandlerList;

public class BlockIgniteEvent extends BlockEvent implements Cancellable {
    private static final HandlerList HANDLERS = new HandlerList();
    private final Entity ignitingEntity;
    private boolean cancelled;

    public BlockIgniteEvent(Block theBlock, IgniteCause cause, Entity ignitingEntity) {
        super(theBlock);
        this.ignitingEntity = ignitingEntity;
    }

    public Entity getIgnitingEntity() {
        return ignitingEntity;
    }

    @Override
    public boolean isCancelled() {
        return cancelled;
    }

    @Override
    public void setCancelled(boolean cancel) {
        cancelled = cancel;
    }

    public Player getPlayer() {
        return ignitingEntity instanceof Player player ? player : null;
    }

    public enum IgniteCause {
    }

    @Override
    public HandlerList getHandlers() {
        return HANDLERS;
    }

    public static HandlerList getHandlerList() {
        return HANDLERS;
    }
}
