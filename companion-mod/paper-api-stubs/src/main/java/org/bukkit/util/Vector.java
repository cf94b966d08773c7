package org.bukkit.util;

public class Vector {}
