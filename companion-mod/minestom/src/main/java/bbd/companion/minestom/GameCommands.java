package bbd.companion.minestom;

import bbd.companion.Companion;
import bbd.companion.command.Commands;
import java.util.Arrays;
import java.util.List;
import net.minestom.server.command.CommandManager;
import net.minestom.server.command.CommandSender;
import net.minestom.server.command.builder.Command;
import net.minestom.server.command.builder.arguments.ArgumentStringArray;
import net.minestom.server.command.builder.arguments.ArgumentType;
import net.minestom.server.command.builder.arguments.number.ArgumentInteger;
import net.minestom.server.command.builder.suggestion.SuggestionEntry;
import net.minestom.server.coordinate.Pos;
import net.minestom.server.entity.Player;

/** {@code /bbd}, {@code /boom}, {@code /thief} and {@code /ticks}. Everybody may: this is one's own server. */
final class GameCommands {
    private static final double EYES = 1.6;
    private static final double AWAY = 4;
    private final Companion companion;
    private final Worlds worlds;
    private final Tricks tricks;
    private final Display display;

    GameCommands(Companion companion, Worlds worlds, Tricks tricks, Display display) {
        this.companion = companion;
        this.worlds = worlds;
        this.tricks = tricks;
        this.display = display;
    }

    void register(CommandManager manager) {
        manager.register(bbd(), boom(), thief(), ticks());
    }

    private Command bbd() {
        Command command = new Command("bbd");
        command.setDefaultExecutor((sender, context) -> run(sender, List.of()));
        ArgumentStringArray words = ArgumentType.StringArray("words");
        words.setSuggestionCallback((sender, context, suggestion) -> {
            String[] typed = suggestion.getInput().split(" ", -1);
            companion.commands().complete(Arrays.asList(typed).subList(1, typed.length))
                    .forEach(word -> suggestion.addEntry(new SuggestionEntry(word)));
        });
        command.addSyntax((sender, context) -> run(sender, List.of(context.get(words))), words);
        return command;
    }

    private void run(CommandSender sender, List<String> words) {
        if (sender instanceof Player player && words.size() == 2 && words.get(0).equals("sparkle")) {
            boolean on = words.get(1).equals("on");
            display.sparkle(player, on);
            say(sender, on ? "What is written sparkles now." : "Nothing sparkles any more.");
            return;
        }
        String who = sender instanceof Player player ? player.getUsername() : "the console";
        Commands.Answer answer = companion.commands().run(words, who, line -> say(sender, line));
        answer.lines().forEach(line -> say(sender, line));
        if (sender instanceof Player player) {
            answer.destination().ifPresent(place -> bring(player, place));
        }
    }

    private void bring(Player player, Commands.Destination place) {
        worlds.named(place.dimension()).ifPresent(world -> {
            Pos target = new Pos(place.x() + 0.5, place.y() + 0.5, place.z() + 0.5);
            Pos before = target.add(0, AWAY - EYES, -AWAY).withLookAt(target.sub(0, EYES, 0));
            player.setFlying(true);
            if (player.getInstance() == world.instance()) {
                player.teleport(before);
            } else {
                player.setInstance(world.instance(), before);
            }
        });
    }

    private Command boom() {
        Command command = new Command("boom");
        ArgumentInteger radius = ArgumentType.Integer("radius");
        radius.between(1, Tricks.MOST_RADIUS);
        command.setDefaultExecutor((sender, context) -> say(sender, "/boom RADIUS, from 1 to " + Tricks.MOST_RADIUS));
        command.addSyntax((sender, context) -> {
            if (sender instanceof Player player) {
                World world = worlds.of(player.getInstance());
                int taken = tricks.explode(world, player.getPosition().asBlockVec(), context.get(radius),
                        player.getUsername());
                say(sender, taken + " blocks are gone.");
            }
        }, radius);
        return command;
    }

    private Command thief() {
        Command command = new Command("thief");
        var wanted = ArgumentType.Word("wanted").from("on", "off");
        command.setDefaultExecutor(
                (sender, context) -> say(sender, "/thief on|off; it is " + (tricks.thief() ? "on" : "off")));
        command.addSyntax((sender, context) -> {
            tricks.thief(context.get(wanted).equals("on"));
            say(sender, tricks.thief() ? "Somebody steals blocks now." : "The thief is gone.");
        }, wanted);
        return command;
    }

    private Command ticks() {
        Command command = new Command("ticks");
        command.setDefaultExecutor((sender, context) -> say(sender, Ticks.said(companion.disks())));
        return command;
    }

    private static void say(CommandSender sender, String line) {
        sender.sendMessage(line);
    }
}
