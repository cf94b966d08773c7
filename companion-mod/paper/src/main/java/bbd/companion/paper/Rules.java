package bbd.companion.paper;

import com.destroystokyo.paper.event.block.BlockDestroyEvent;
import java.util.ArrayList;
import java.util.List;
import org.bukkit.Location;
import org.bukkit.World;
import org.bukkit.block.Block;
import org.bukkit.block.BlockFace;
import org.bukkit.block.BlockState;
import org.bukkit.block.data.Directional;
import org.bukkit.event.block.BlockBreakEvent;
import org.bukkit.event.block.BlockBurnEvent;
import org.bukkit.event.block.BlockDispenseEvent;
import org.bukkit.event.block.BlockEvent;
import org.bukkit.event.block.BlockExplodeEvent;
import org.bukkit.event.block.BlockFadeEvent;
import org.bukkit.event.block.BlockFertilizeEvent;
import org.bukkit.event.block.BlockFormEvent;
import org.bukkit.event.block.BlockFromToEvent;
import org.bukkit.event.block.BlockGrowEvent;
import org.bukkit.event.block.BlockIgniteEvent;
import org.bukkit.event.block.BlockMultiPlaceEvent;
import org.bukkit.event.block.BlockPistonExtendEvent;
import org.bukkit.event.block.BlockPistonRetractEvent;
import org.bukkit.event.block.BlockPlaceEvent;
import org.bukkit.event.block.BlockRedstoneEvent;
import org.bukkit.event.block.BlockSpreadEvent;
import org.bukkit.event.block.EntityBlockFormEvent;
import org.bukkit.event.block.LeavesDecayEvent;
import org.bukkit.event.block.MoistureChangeEvent;
import org.bukkit.event.block.SculkBloomEvent;
import org.bukkit.event.block.SpongeAbsorbEvent;
import org.bukkit.event.entity.CreatureSpawnEvent;
import org.bukkit.event.entity.EntityChangeBlockEvent;
import org.bukkit.event.entity.EntityExplodeEvent;
import org.bukkit.event.player.PlayerBucketEmptyEvent;
import org.bukkit.event.player.PlayerBucketEvent;
import org.bukkit.event.player.PlayerBucketFillEvent;
import org.bukkit.event.world.PortalCreateEvent;
import org.bukkit.event.world.StructureGrowEvent;

/** The events of the server that change blocks, and which blocks those are. */
final class Rules {
    private static final int PISTON_TICKS = 4;
    /** Golems and withers are built of blocks no further from where they appear. */
    private static final int BUILT_HEIGHT = 3;

    private Rules() {}

    static List<Rule<?>> all() {
        return List.of(
                Rule.of(BlockPlaceEvent.class, "block_place", Rules::placed).by(BlockPlaceEvent::getPlayer)
                        .before(Rules::replaced),
                here(BlockBreakEvent.class, "block_break").by(BlockBreakEvent::getPlayer),
                here(BlockDestroyEvent.class, "block_destroy"),
                bucket(PlayerBucketEmptyEvent.class, "bucket_empty"),
                bucket(PlayerBucketFillEvent.class, "bucket_fill"),
                Rule.of(EntityExplodeEvent.class, "entity_explode", EntityExplodeEvent::blockList)
                        .denied((event, allowed) -> event.blockList().removeIf(allowed.negate())),
                Rule.of(BlockExplodeEvent.class, "block_explode", BlockExplodeEvent::blockList)
                        .denied((event, allowed) -> event.blockList().removeIf(allowed.negate())),
                Rule.of(EntityChangeBlockEvent.class, "entity_change_block", event -> List.of(event.getBlock()))
                        .by(EntityChangeBlockEvent::getEntity),
                Rule.of(CreatureSpawnEvent.class, "creature_spawn", Rules::built),
                Rule.of(BlockPistonExtendEvent.class, "block_piston_extend",
                        event -> moved(event.getBlock(), event.getBlocks(), event.getDirection()))
                        .lasting(PISTON_TICKS),
                Rule.of(BlockPistonRetractEvent.class, "block_piston_retract",
                        event -> moved(event.getBlock(), event.getBlocks(), event.getDirection()))
                        .lasting(PISTON_TICKS),
                Rule.of(BlockFromToEvent.class, "block_from_to", Rules::flown),
                here(BlockSpreadEvent.class, "block_spread"),
                here(BlockGrowEvent.class, "block_grow"),
                // Whoever listens to the one below hears this one, too: what is said first counts.
                here(EntityBlockFormEvent.class, "entity_block_form").by(EntityBlockFormEvent::getEntity),
                here(BlockFormEvent.class, "block_form"),
                here(BlockFadeEvent.class, "block_fade"),
                here(BlockBurnEvent.class, "block_burn"),
                here(BlockIgniteEvent.class, "block_ignite").by(BlockIgniteEvent::getPlayer),
                here(LeavesDecayEvent.class, "leaves_decay"),
                here(MoistureChangeEvent.class, "moisture_change"),
                here(SculkBloomEvent.class, "sculk_bloom"),
                here(BlockRedstoneEvent.class, "redstone")
                        .denied((event, allowed) -> event.setNewCurrent(event.getOldCurrent())),
                Rule.of(BlockDispenseEvent.class, "block_dispense", event -> before(event.getBlock())),
                Rule.of(BlockFertilizeEvent.class, "block_fertilize",
                        event -> blocks(event.getBlock().getWorld(), event.getBlocks()))
                        .by(BlockFertilizeEvent::getPlayer),
                Rule.of(SpongeAbsorbEvent.class, "sponge_absorb",
                        event -> blocks(event.getBlock().getWorld(), event.getBlocks())),
                Rule.of(StructureGrowEvent.class, "structure_grow",
                        event -> blocks(event.getWorld(), event.getBlocks())).by(StructureGrowEvent::getPlayer),
                Rule.of(PortalCreateEvent.class, "portal_create",
                        event -> blocks(event.getWorld(), event.getBlocks())).by(PortalCreateEvent::getEntity));
    }

    private static <E extends BlockEvent> Rule<E> here(Class<E> type, String cause) {
        return Rule.of(type, cause, event -> List.of(event.getBlock()));
    }

    private static <E extends PlayerBucketEvent> Rule<E> bucket(Class<E> type, String cause) {
        return Rule.of(type, cause, event -> List.of(event.getBlock())).by(PlayerBucketEvent::getPlayer);
    }

    private static List<Block> placed(BlockPlaceEvent event) {
        return event instanceof BlockMultiPlaceEvent many
                ? blocks(event.getPlayer().getWorld(), many.getReplacedBlockStates())
                : List.of(event.getBlock());
    }

    private static String replaced(BlockPlaceEvent event, Block block) {
        List<BlockState> states = event instanceof BlockMultiPlaceEvent many
                ? many.getReplacedBlockStates()
                : List.of(event.getBlockReplacedState());
        return states.stream()
                .filter(state -> state.getX() == block.getX() && state.getY() == block.getY()
                        && state.getZ() == block.getZ())
                .map(state -> state.getBlockData().getAsString()).findFirst().orElse(null);
    }

    private static List<Block> blocks(World world, List<BlockState> states) {
        return states.stream().map(state -> world.getBlockAt(state.getX(), state.getY(), state.getZ())).toList();
    }

    /** What is moved and where to; a retracting piston is told with either direction, so both sides count. */
    private static List<Block> moved(Block piston, List<Block> blocks, BlockFace direction) {
        List<Block> all = new ArrayList<>();
        List<Block> moving = new ArrayList<>(blocks);
        moving.add(piston);
        for (Block block : moving) {
            all.add(block);
            all.add(block.getRelative(direction));
            all.add(block.getRelative(direction.getOppositeFace()));
        }
        return all;
    }

    /** A dragon's egg, which is told as if it flowed, leaves its place; a liquid does not. */
    private static List<Block> flown(BlockFromToEvent event) {
        return event.getBlock().isLiquid()
                ? List.of(event.getToBlock())
                : List.of(event.getToBlock(), event.getBlock());
    }

    /** The block that a dispenser looks at. */
    private static List<Block> before(Block dispenser) {
        return dispenser.getBlockData() instanceof Directional directed
                ? List.of(dispenser.getRelative(directed.getFacing()))
                : List.of();
    }

    /** The blocks that a golem or a wither may have been built of. */
    private static List<Block> built(CreatureSpawnEvent event) {
        List<Block> around = new ArrayList<>();
        if (event.getSpawnReason().name().startsWith("BUILD_")) {
            Location at = event.getLocation();
            for (int x = -1; x <= 1; x++) {
                for (int z = -1; z <= 1; z++) {
                    for (int y = -1; y <= BUILT_HEIGHT; y++) {
                        around.add(at.getWorld().getBlockAt(at.getBlockX() + x, at.getBlockY() + y,
                                at.getBlockZ() + z));
                    }
                }
            }
        }
        return around;
    }
}
