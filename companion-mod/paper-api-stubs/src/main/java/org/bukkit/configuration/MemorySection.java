package org.bukkit.configuration;

import java.util.Map;

public class MemorySection implements ConfigurationSection {
    @Override
    public Map<String, Object> getValues(boolean deep) {
        throw new UnsupportedOperationException();
    }
}
