package org.bukkit.generator;

import org.bukkit.World;

public interface WorldInfo {
    String getName();

    World.Environment getEnvironment();

    int getMinHeight();

    int getMaxHeight();
}
