package org.bukkit;

public enum Particle {
    END_ROD
}
