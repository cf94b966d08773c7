package org.bukkit;

import java.io.File;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.bukkit.block.Block;
import org.bukkit.entity.Player;
import org.bukkit.generator.WorldInfo;
import org.bukkit.plugin.Plugin;

public interface World extends WorldInfo, Keyed {
    Block getBlockAt(int x, int y, int z);

    Chunk getChunkAt(int x, int z);

    CompletableFuture<Chunk> getChunkAtAsync(int x, int z, boolean gen);

    boolean isChunkLoaded(int x, int z);

    boolean addPluginChunkTicket(int x, int z, Plugin plugin);

    boolean removePluginChunkTicket(int x, int z, Plugin plugin);

    List<Player> getPlayers();

    File getWorldFolder();

    void save();

    enum Environment {
        NORMAL, NETHER, THE_END, CUSTOM
    }
}
