package org.bukkit.event.block;

import org.bukkit.block.Block;
import org.bukkit.block.BlockState;
import org.bukkit.entity.Player;
import org.bukkit.event.Cancellable;
import org.bukkit.event.HandlerList;
import org.bukkit.inventory.EquipmentSlot;
import org.bukkit.inventory.ItemStack;

public class BlockPlaceEvent extends BlockEvent implements Cancellable {
    private static final HandlerList HANDLERS = new HandlerList();
    private final BlockState replacedBlockState;
    private final Player thePlayer;
    private boolean cancelled;

    public BlockPlaceEvent(Block placedBlock, BlockState replacedBlockState, Block placedAgainst, ItemStack itemInHand,
            Player thePlayer, boolean canBuild, EquipmentSlot hand) {
        super(placedBlock);
        this.replacedBlockState = replacedBlockState;
        this.thePlayer = thePlayer;
    }

    public BlockState getBlockReplacedState() {
        return replacedBlockState;
    }

    public Player getPlayer() {
        return thePlayer;
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
