package org.bukkit.plugin.java;

import java.io.File;
import java.util.List;
import java.util.logging.Logger;
import org.bukkit.Server;
import org.bukkit.command.Command;
import org.bukkit.command.CommandSender;
import org.bukkit.plugin.PluginBase;

public abstract class JavaPlugin extends PluginBase {
    @Override
    public final File getDataFolder() {
        throw new UnsupportedOperationException();
    }

    @Override
    public final Server getServer() {
        throw new UnsupportedOperationException();
    }

    @Override
    public final boolean isEnabled() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Logger getLogger() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void saveDefaultConfig() {
        throw new UnsupportedOperationException();
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
