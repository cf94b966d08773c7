package com.destroystokyo.paper.event.server;

import org.bukkit.event.Event;
import org.bukkit.event.HandlerList;

public class ServerTickEndEvent extends Event {
    private static final HandlerList HANDLERS = new HandlerList();
    private final double tickDuration;

    public ServerTickEndEvent(int tickNumber, double tickDuration, long timeRemaining) {
        super();
        this.tickDuration = tickDuration;
    }

    public double getTickDuration() {
        return tickDuration;
    }

    @Override
    public HandlerList getHandlers() {
        return HANDLERS;
    }

    public static HandlerList getHandlerList() {
        return HANDLERS;
    }
}
