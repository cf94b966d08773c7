package org.bukkit;

import java.util.Collection;
import java.util.List;
import org.bukkit.block.data.BlockData;
import org.bukkit.entity.Player;
import org.bukkit.plugin.PluginManager;
import org.bukkit.scheduler.BukkitScheduler;

public interface Server {
    String getName();

    String getVersion();

    String getMinecraftVersion();

    Collection<? extends Player> getOnlinePlayers();

    List<World> getWorlds();

    PluginManager getPluginManager();

    BukkitScheduler getScheduler();

    BlockData createBlockData(String data) throws IllegalArgumentException;

    boolean isPrimaryThread();

    @Deprecated
    UnsafeValues getUnsafe();
}
