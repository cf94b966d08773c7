package org.bukkit.event.world;

import org.bukkit.Chunk;
import org.bukkit.event.HandlerList;

public class ChunkUnloadEvent extends ChunkEvent {
    private static final HandlerList HANDLERS = new HandlerList();
    private final boolean save;

    public ChunkUnloadEvent(Chunk chunk, boolean save) {
        super(chunk);
        this.save = save;
    }

    public boolean isSaveChunk() {
        return save;
    }

    @Override
    public HandlerList getHandlers() {
        return HANDLERS;
    }

    public static HandlerList getHandlerList() {
        return HANDLERS;
    }
}
