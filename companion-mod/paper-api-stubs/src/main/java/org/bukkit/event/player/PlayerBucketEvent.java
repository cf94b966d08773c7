package org.bukkit.event.player;

import org.bukkit.Material;
import org.bukkit.block.Block;
import org.bukkit.block.BlockFace;
import org.bukkit.entity.Player;
import org.bukkit.event.Cancellable;
import org.bukkit.inventory.EquipmentSlot;
import org.bukkit.inventory.ItemStack;

public abstract class PlayerBucketEvent extends PlayerEvent implements Cancellable {
    private final Block block;
    private boolean cancelled;

    public PlayerBucketEvent(Player who, Block block, Block blockClicked, BlockFace blockFace, Material bucket,
            ItemStack itemInHand, EquipmentSlot hand) {
        super(who);
        this.block = block;
    }

    public final Block getBlock() {
        return block;
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
