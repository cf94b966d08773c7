package bbd.companion.paper;

import bbd.companion.command.Commands;
import java.util.ArrayList;
import java.util.List;
import net.kyori.adventure.text.Component;
import org.bukkit.Location;
import org.bukkit.command.CommandSender;
import org.bukkit.entity.Player;

/** {@code /bbd}: what the core says, for those who are allowed to ask. Main thread. */
final class GameCommands {
    private static final double EYES = 1.6;
    private static final double AWAY = 4;
    private final PaperServer worlds;
    private final Commands commands;
    private final Display display;
    private final MainThread main;

    GameCommands(PaperServer worlds, Commands commands, Display display, MainThread main) {
        this.worlds = worlds;
        this.commands = commands;
        this.display = display;
        this.main = main;
    }

    void run(CommandSender sender, List<String> words) {
        String needed = permission(words);
        if (!sender.hasPermission(needed)) {
            say(sender, "You may not: that takes the permission " + needed + ".");
            return;
        }
        if (isSparkle(words)) {
            sparkle(sender, words);
            return;
        }
        Commands.Answer answer = commands.run(words, sender.getName(), line -> main.later(() -> say(sender, line)));
        answer.lines().forEach(line -> say(sender, line));
        if (sender instanceof Player player) {
            answer.destination().ifPresent(place -> bring(player, place));
        }
    }

    private static String permission(List<String> words) {
        return "bbd." + (isSparkle(words) ? "show" : Commands.needs(words));
    }

    private static boolean isSparkle(List<String> words) {
        return !words.isEmpty() && words.get(0).equals("sparkle");
    }

    private void sparkle(CommandSender sender, List<String> words) {
        boolean on = words.size() == 2 && words.get(1).equals("on");
        if (!(sender instanceof Player player) || !on && !(words.size() == 2 && words.get(1).equals("off"))) {
            say(sender, "/bbd sparkle on|off, for players");
            return;
        }
        display.sparkle(player, on);
        say(sender, on ? "What is written sparkles now." : "Nothing sparkles any more.");
    }

    private void bring(Player player, Commands.Destination place) {
        if (!player.getAllowFlight()) {
            say(player, "You are not brought there: you can't fly, and would fall.");
            return;
        }
        worlds.bukkit(place.dimension()).ifPresent(world -> {
            // Before the block, with the eyes at its height, looking at it (to the south, level).
            Location before = new Location(world, place.x() + 0.5, place.y() + 0.5 - EYES, place.z() + 0.5 - AWAY, 0,
                    0);
            player.setFlying(true);
            player.teleportAsync(before);
        });
    }

    List<String> complete(CommandSender sender, List<String> words) {
        List<String> found = new ArrayList<>(commands.complete(words));
        if (words.size() <= 1) {
            if ("sparkle".startsWith(words.isEmpty() ? "" : words.get(0))) {
                found.add("sparkle");
            }
            found.removeIf(word -> !sender.hasPermission(permission(List.of(word))));
        } else if (isSparkle(words)) {
            found.addAll(List.of("on", "off"));
        }
        return found;
    }

    private static void say(CommandSender sender, String line) {
        sender.sendMessage(Component.text(line));
    }
}
