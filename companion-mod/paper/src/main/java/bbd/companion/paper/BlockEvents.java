package bbd.companion.paper;

import bbd.companion.server.Edits;
import bbd.companion.session.Disks;
import java.util.List;
import java.util.Optional;
import net.kyori.adventure.text.Component;
import org.bukkit.block.Block;
import org.bukkit.entity.Entity;
import org.bukkit.entity.Player;
import org.bukkit.event.Event;
import org.bukkit.event.EventPriority;
import org.bukkit.event.Listener;
import org.bukkit.plugin.Plugin;

/** Asks the core about every change of blocks that the server announces, and tells it what came of those that it allows. */
final class BlockEvents implements Listener {
    private static final Component REFUSED = Component.text("This disk is protected.");
    private final PaperServer worlds;
    private final Disks disks;
    private final Edits edits;
    private final Watch watch;
    private final List<Rule<?>> rules;

    BlockEvents(PaperServer worlds, Disks disks, Edits edits, Watch watch, List<Rule<?>> rules) {
        this.rules = rules;
        this.worlds = worlds;
        this.disks = disks;
        this.edits = edits;
        this.watch = watch;
    }

    void register(Plugin plugin) {
        rules.forEach(rule -> register(plugin, rule));
    }

    /** Last of those who may cancel, and of those who look on. */
    private <E extends Event> void register(Plugin plugin, Rule<E> rule) {
        var manager = plugin.getServer().getPluginManager();
        manager.registerEvent(rule.type(), this, EventPriority.HIGHEST, (listener, event) -> {
            if (rule.type().isInstance(event)) {
                guard(rule, rule.type().cast(event));
            }
        }, plugin, true);
        manager.registerEvent(rule.type(), this, EventPriority.MONITOR, (listener, event) -> {
            if (rule.type().isInstance(event)) {
                observe(rule, rule.type().cast(event));
            }
        }, plugin, true);
    }

    private <E extends Event> void guard(Rule<E> rule, E event) {
        List<Block> blocks = rule.blocks().apply(event);
        if (!blocks.stream().allMatch(this::allows)) {
            rule.deny().deny(event, this::allows);
            if (rule.who().apply(event) instanceof Player player) {
                player.sendActionBar(REFUSED);
            }
        }
    }

    private boolean allows(Block block) {
        return worlds.nameOf(block.getWorld())
                .map(dimension -> edits.allows(dimension, block.getX(), block.getY(), block.getZ())).orElse(true);
    }

    private <E extends Event> void observe(Rule<E> rule, E event) {
        Entity who = rule.who().apply(event);
        for (Block block : rule.blocks().apply(event)) {
            Optional<String> dimension = worlds.nameOf(block.getWorld());
            if (dimension.isPresent() && disks.at(dimension.get(), block.getX(), block.getY(), block.getZ())
                    .filter(disk -> !disks.isProtected(disk.name())).isPresent()) {
                String was = rule.was().apply(event, block);
                watch.expect(dimension.get(), block, was == null ? block.getBlockData().getAsString() : was,
                        rule.cause(), who instanceof Player player ? player.getName() : null, rule.ticks());
            }
        }
    }
}
