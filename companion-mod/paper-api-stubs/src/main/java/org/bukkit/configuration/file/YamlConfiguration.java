package org.bukkit.configuration.file;

public class YamlConfiguration extends FileConfiguration {}
