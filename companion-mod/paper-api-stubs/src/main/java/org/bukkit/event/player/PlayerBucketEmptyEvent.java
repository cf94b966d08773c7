package org.bukkit.event.player;

import org.bukkit.Material;
import org.bukkit.block.Block;
import org.bukkit.block.BlockFace;
import org.bukkit.entity.Player;
import org.bukkit.event.HandlerList;
import org.bukkit.inventory.EquipmentSlot;
import org.bukkit.inventory.ItemStack;

public class PlayerBucketEmptyEvent extends PlayerBucketEvent {
    private static final HandlerList HANDLERS = new HandlerList();

    public PlayerBucketEmptyEvent(Player who, Block block, Block blockClicked, BlockFace blockFace, Material bucket,
            ItemStack itemInHand, EquipmentSlot hand) {
        super(who, block, blockClicked, blockFace, bucket, itemInHand, hand);
    }

    @Override
    public HandlerList getHandlers() {
        return HANDLERS;
    }

    public static HandlerList getHandlerList() {
        return HANDLERS;
    }
}
