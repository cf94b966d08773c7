package org.bukkit;

@Deprecated(since = "1.7.2")
public interface UnsafeValues {
    int getDataVersion();

    int getProtocolVersion();
}
