package org.bukkit.block.data;

public interface BlockData {
    String getAsString();
}
