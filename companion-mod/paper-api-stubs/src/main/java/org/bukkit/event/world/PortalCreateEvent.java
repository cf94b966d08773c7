package org.bukkit.event.world;

import java.util.List;
import org.bukkit.World;
import org.bukkit.block.BlockState;
import org.bukkit.entity.Entity;
import org.bukkit.event.Cancellable;
import org.bukkit.event.HandlerList;

public class PortalCreateEvent extends WorldEvent implements Cancellable {
    private static final HandlerList HANDLERS = new HandlerList();
    private final List<BlockState> blocks;
    private final Entity entity;
    private boolean cancelled;

    public PortalCreateEvent(List<BlockState> blocks, World world, Entity entity, CreateReason reason) {
        super(world);
        this.blocks = blocks;
        this.entity = entity;
    }

    public List<BlockState> getBlocks() {
        return blocks;
    }

    public Entity getEntity() {
        return entity;
    }

    @Override
    public boolean isCancelled() {
        return cancelled;
    }

    @Override
    public void setCancelled(boolean cancel) {
        cancelled = cancel;
    }

    public enum CreateReason {
    }

    @Override
    public HandlerList getHandlers() {
        return HANDLERS;
    }

    public static HandlerList getHandlerList() {
        return HANDLERS;
    }
}
