package org.bukkit.configuration;

public class MemoryConfiguration extends MemorySection {}
