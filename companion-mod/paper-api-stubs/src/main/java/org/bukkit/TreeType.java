package org.bukkit;

public enum TreeType {
}
