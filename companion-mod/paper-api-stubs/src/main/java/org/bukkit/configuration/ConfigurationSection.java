package org.bukkit.configuration;

import java.util.Map;

public interface ConfigurationSection {
    Map<String, Object> getValues(boolean deep);
}
