package org.bukkit.event;

public class EventException extends Exception {
    private static final long serialVersionUID = 1;
}
