package org.bukkit.entity;

import org.bukkit.Location;
import org.bukkit.Particle;

public interface Player extends LivingEntity {
    boolean getAllowFlight();

    void setFlying(boolean value);

    void spawnParticle(Particle particle, Location location, int count, double offsetX, double offsetY, double offsetZ,
            double extra);
}
