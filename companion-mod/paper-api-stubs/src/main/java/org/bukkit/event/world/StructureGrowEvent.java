package org.bukkit.event.world;

import java.util.List;
import org.bukkit.Location;
import org.bukkit.TreeType;
import org.bukkit.block.BlockState;
import org.bukkit.entity.Player;
import org.bukkit.event.Cancellable;
import org.bukkit.event.HandlerList;

public class StructureGrowEvent extends WorldEvent implements Cancellable {
    private static final HandlerList HANDLERS = new HandlerList();
    private final Player player;
    private final List<BlockState> blocks;
    private boolean cancelled;

    public StructureGrowEvent(Location location, TreeType species, boolean bonemeal, Player player,
            List<BlockState> blocks) {
        super(location.getWorld());
        this.player = player;
        this.blocks = blocks;
    }

    public Player getPlayer() {
        return player;
    }

    public List<BlockState> getBlocks() {
        return blocks;
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
