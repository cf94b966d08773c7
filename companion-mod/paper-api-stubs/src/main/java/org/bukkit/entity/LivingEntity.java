package org.bukkit.entity;

import org.bukkit.block.Block;

public interface LivingEntity extends Entity {
    Block getTargetBlockExact(int maxDistance);
}
