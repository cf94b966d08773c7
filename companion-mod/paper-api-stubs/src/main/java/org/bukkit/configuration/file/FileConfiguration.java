package org.bukkit.configuration.file;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import org.bukkit.configuration.InvalidConfigurationException;
import org.bukkit.configuration.MemoryConfiguration;

public abstract class FileConfiguration extends MemoryConfiguration {
    public void load(File file) throws FileNotFoundException, IOException, InvalidConfigurationException {
        throw new UnsupportedOperationException();
    }
}
