package org.bukkit;

public enum Material {
}
