package bbd.companion.paper;

import bbd.companion.Settings;
import java.io.File;
import java.io.IOException;
import java.util.List;
import java.util.logging.Level;
import org.bukkit.command.Command;
import org.bukkit.command.CommandSender;
import org.bukkit.configuration.InvalidConfigurationException;
import org.bukkit.configuration.file.YamlConfiguration;
import org.bukkit.plugin.java.JavaPlugin;

/** What the server loads, starts and stops; the rest is {@link Running}'s. */
public final class BbdPlugin extends JavaPlugin {
    private static final String FOLIA = "io.papermc.paper.threadedregions.RegionizedServer";
    private Running running;

    @Override
    public void onEnable() {
        try {
            if (isThere(FOLIA)) {
                throw new IOException("this server is Folia, which has no main thread; bbd needs Paper or a fork of it"
                        + " that has one");
            }
            saveDefaultConfig();
            running = new Running(this, settings());
            running.begin();
        } catch (IOException error) {
            refuse(Failures.sentence(error));
        } catch (LinkageError error) {
            refuse("this server lacks what bbd needs (" + error.getMessage() + "): it is for Paper 1.21 to 26.x");
        } catch (RuntimeException error) {
            getLogger().log(Level.SEVERE, "a fault of bbd", error);
            refuse(error.toString());
        }
    }

    private void refuse(String why) {
        getLogger().severe("bbd can't start: " + why);
        getServer().getPluginManager().disablePlugin(this);
    }

    private Settings settings() throws IOException {
        YamlConfiguration yaml = new YamlConfiguration();
        File file = new File(getDataFolder(), "config.yml");
        try {
            yaml.load(file);
            return Settings.of(yaml.getValues(false));
        } catch (InvalidConfigurationException error) {
            throw new IOException(file + " is no YAML: " + Failures.line(error.getMessage()), error);
        } catch (IllegalArgumentException error) {
            throw new IOException(file + ": " + error.getMessage(), error);
        }
    }

    private static boolean isThere(String name) {
        try {
            Class.forName(name, false, BbdPlugin.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException error) {
            return false;
        }
    }

    @Override
    public void onDisable() {
        if (running != null) {
            running.stop();
            running = null;
        }
    }

    @Override
    public boolean onCommand(CommandSender sender, Command command, String label, String[] words) {
        if (running != null) {
            running.commands().run(sender, List.of(words));
        }
        return true;
    }

    @Override
    public List<String> onTabComplete(CommandSender sender, Command command, String alias, String[] words) {
        return running == null ? List.of() : running.commands().complete(sender, List.of(words));
    }

    /** What the plugin runs; null where it did not start. */
    Running running() {
        return running;
    }
}
