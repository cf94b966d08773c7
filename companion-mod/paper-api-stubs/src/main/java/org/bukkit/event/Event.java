package org.bukkit.event;

public abstract class Event {
    public Event() {}

    public abstract HandlerList getHandlers();
}
