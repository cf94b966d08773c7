package org.bukkit.event.entity;

import org.bukkit.entity.LivingEntity;

public class CreatureSpawnEvent extends EntitySpawnEvent {
    private final SpawnReason spawnReason;

    public CreatureSpawnEvent(LivingEntity spawnee, SpawnReason spawnReason) {
        super(spawnee);
        this.spawnReason = spawnReason;
    }

    public SpawnReason getSpawnReason() {
        return spawnReason;
    }

    public enum SpawnReason {
        NATURAL, BUILD_SNOWMAN, BUILD_IRONGOLEM, BUILD_WITHER
    }
}
