package bbd.companion.minestom;

import bbd.companion.blocks.BlockState;
import java.util.function.Function;
import net.kyori.adventure.text.Component;
import net.kyori.adventure.text.format.NamedTextColor;
import net.minestom.server.coordinate.Point;
import net.minestom.server.entity.Player;
import net.minestom.server.entity.PlayerHand;
import net.minestom.server.event.Event;
import net.minestom.server.event.EventNode;
import net.minestom.server.event.player.PlayerBlockBreakEvent;
import net.minestom.server.event.player.PlayerBlockInteractEvent;
import net.minestom.server.event.player.PlayerBlockPlaceEvent;
import net.minestom.server.instance.Instance;
import net.minestom.server.instance.block.Block;
import net.minestom.server.instance.block.BlockFace;
import net.minestom.server.network.packet.server.play.BlockChangePacket;
import net.minestom.server.timer.TaskSchedule;

/** What players do to blocks with their hands: break, place, and flip levers. */
final class Hands {
    private static final Component REFUSED = Component.text(
            "This disk is protected: /bbd protect off lets you edit it.",
            NamedTextColor.RED);
    private static final int CORRECTED_AFTER = 2;
    private final Edit edit;
    private final Function<Instance, World> worlds;

    Hands(Edit edit, Function<Instance, World> worlds) {
        this.edit = edit;
        this.worlds = worlds;
    }

    void listen(EventNode<Event> events) {
        events.addListener(PlayerBlockBreakEvent.class, this::broken);
        events.addListener(PlayerBlockPlaceEvent.class, this::placed);
        events.addListener(PlayerBlockInteractEvent.class, this::clicked);
    }

    private void broken(PlayerBlockBreakEvent event) {
        if (!may(event.getPlayer(), event.getBlockPosition())) {
            event.setCancelled(true);
            return;
        }
        tellAfter(event.getPlayer(), event.getBlockPosition(), "block_break");
    }

    private void placed(PlayerBlockPlaceEvent event) {
        if (!may(event.getPlayer(), event.getBlockPosition())) {
            event.setCancelled(true);
            return;
        }
        event.consumeBlock(false);
        event.setBlock(oriented(event.getBlock(), event.getBlockFace()));
        tellAfter(event.getPlayer(), event.getBlockPosition(), "block_place");
    }

    /** The block changes when the event is over, within this tick. */
    private void tellAfter(Player player, Point at, String cause) {
        World world = worlds.apply(player.getInstance());
        BlockState was = edit.state(world, at);
        String who = player.getUsername();
        player.scheduler().scheduleEndOfTick(() -> {
            if (!edit.state(world, at).equals(was)) {
                edit.changed(world, at, was, cause, who);
            }
        });
    }

    /** Levers stand on what they were put on. */
    private static Block oriented(Block block, BlockFace face) {
        if (!block.compare(Block.LEVER)) {
            return block;
        }
        return switch (face) {
            case TOP -> block.withProperty("face", "floor");
            case BOTTOM -> block.withProperty("face", "ceiling");
            default -> block.withProperty("face", "wall").withProperty("facing", face.name().toLowerCase());
        };
    }

    private void clicked(PlayerBlockInteractEvent event) {
        if (!event.getBlock().compare(Block.LEVER) || event.getHand() != PlayerHand.MAIN) {
            return;
        }
        event.setBlockingItemUse(true);
        if (!may(event.getPlayer(), event.getBlockPosition())) {
            event.setCancelled(true);
            return;
        }
        flip(worlds.apply(event.getInstance()), event.getBlockPosition(), event.getBlock(),
                event.getPlayer().getUsername());
    }

    private void flip(World world, Point at, Block lever, String who) {
        String powered = lever.getProperty("powered").equals("true") ? "false" : "true";
        edit.change(world, at, lever.withProperty("powered", powered), "lever", who);
        Point attached = switch (lever.getProperty("face")) {
            case "floor" -> at.add(0, -1, 0);
            case "ceiling" -> at.add(0, 1, 0);
            default -> at.relative(BlockFace.valueOf(lever.getProperty("facing").toUpperCase()).getOppositeFace());
        };
        light(world, attached, powered, who);
        // The block that a lever stands on powers what is around it.
        for (BlockFace face : BlockFace.values()) {
            light(world, attached.relative(face), powered, who);
        }
    }

    private void light(World world, Point at, String lit, String who) {
        if (!world.instance().isChunkLoaded(at.chunkX(), at.chunkZ())) {
            return;
        }
        Block block = world.instance().getBlock(at);
        if (block.compare(Block.REDSTONE_LAMP) && !block.getProperty("lit").equals(lit)) {
            edit.change(world, at, block.withProperty("lit", lit), "redstone", who);
        }
    }

    private boolean may(Player player, Point at) {
        boolean allowed = edit.allows(worlds.apply(player.getInstance()), at);
        if (!allowed) {
            player.sendMessage(REFUSED);
            // Clients show at once what they think will happen.
            player.scheduler().buildTask(() -> show(player, at)).delay(TaskSchedule.tick(CORRECTED_AFTER)).schedule();
        }
        return allowed;
    }

    private static void show(Player player, Point at) {
        Instance instance = player.getInstance();
        if (instance != null && instance.isChunkLoaded(at.chunkX(), at.chunkZ())) {
            player.sendPacket(new BlockChangePacket(at, instance.getBlock(at)));
        }
    }
}
