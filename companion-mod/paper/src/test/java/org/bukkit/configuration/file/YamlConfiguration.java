package org.bukkit.configuration.file;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;
import org.bukkit.configuration.InvalidConfigurationException;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.YAMLException;

/** Takes the place of the stub in tests: YAML, read as the server does. */
public class YamlConfiguration extends FileConfiguration {
    private Map<String, Object> values = Map.of();

    @Override
    public void load(File file) throws IOException, InvalidConfigurationException {
        try {
            Map<String, Object> read = new Yaml().load(Files.readString(file.toPath()));
            values = read == null ? Map.of() : read;
        } catch (YAMLException error) {
            throw new InvalidConfigurationException(error.getMessage(), error);
        } catch (ClassCastException error) {
            throw new InvalidConfigurationException("Top level is not a Map.", error);
        }
    }

    @Override
    public Map<String, Object> getValues(boolean deep) {
        return values;
    }
}
