package org.bukkit.event.block;

import java.util.List;
import org.bukkit.block.Block;
import org.bukkit.block.BlockState;
import org.bukkit.entity.Player;
import org.bukkit.inventory.EquipmentSlot;
import org.bukkit.inventory.ItemStack;

public class BlockMultiPlaceEvent extends BlockPlaceEvent {
    private final List<BlockState> states;

    public BlockMultiPlaceEvent(List<BlockState> states, Block clicked, ItemStack itemInHand, Player thePlayer,
            boolean canBuild, EquipmentSlot hand) {
        super(null, states.get(0), clicked, itemInHand, thePlayer, canBuild, hand);
        this.states = states;
    }

    public List<BlockState> getReplacedBlockStates() {
        return states;
    }
}
