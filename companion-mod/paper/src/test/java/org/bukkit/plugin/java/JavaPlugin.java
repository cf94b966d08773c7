package org.bukkit.plugin.java;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.logging.Logger;
import org.bukkit.Server;
import org.bukkit.command.Command;
import org.bukkit.command.CommandSender;
import org.bukkit.plugin.PluginBase;

/** Takes the place of the stub in tests: what the server gives a plugin, it is given by {@link #give}. */
public abstract class JavaPlugin extends PluginBase {
    private Server server;
    private File folder;
    private Logger logger;
    private boolean enabled;

    public void give(Server ofServer, File dataFolder, Logger log) {
        server = ofServer;
        folder = dataFolder;
        logger = log;
    }

    /** As the server does it: the state changes first. */
    public void setEnabled(boolean wanted) {
        if (wanted != enabled) {
            enabled = wanted;
            if (wanted) {
                onEnable();
            } else {
                onDisable();
            }
        }
    }

    @Override
    public final File getDataFolder() {
        return folder;
    }

    @Override
    public final Server getServer() {
        return server;
    }

    @Override
    public final boolean isEnabled() {
        return enabled;
    }

    @Override
    public Logger getLogger() {
        return logger;
    }

    @Override
    public void saveDefaultConfig() {
        Path file = folder.toPath().resolve("config.yml");
        if (Files.exists(file)) {
            return;
        }
        try (InputStream standard = getClass().getClassLoader().getResourceAsStream("config.yml")) {
            Files.createDirectories(folder.toPath());
            Files.copy(standard, file);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    @Override
    public void onEnable() {}

    @Override
    public void onDisable() {}

    public boolean onCommand(CommandSender sender, Command command, String label, String[] args) {
        return false;
    }

    public List<String> onTabComplete(CommandSender sender, Command command, String alias, String[] args) {
        return null;
    }
}
