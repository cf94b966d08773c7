package org.bukkit.entity;

import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.bukkit.Location;
import org.bukkit.World;
import org.bukkit.command.CommandSender;

public interface Entity extends CommandSender {
    Location getLocation();

    World getWorld();

    UUID getUniqueId();

    CompletableFuture<Boolean> teleportAsync(Location loc);
}
