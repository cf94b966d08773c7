package org.bukkit;

public enum ExplosionResult {
}
