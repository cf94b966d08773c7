package bbd.companion.paper;

import com.destroystokyo.paper.event.block.BlockDestroyEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bukkit.Location;
import org.bukkit.block.Block;
import org.bukkit.block.BlockFace;
import org.bukkit.event.Event;
import org.bukkit.event.block.BlockBreakEvent;
import org.bukkit.event.block.BlockBurnEvent;
import org.bukkit.event.block.BlockDispenseEvent;
import org.bukkit.event.block.BlockExplodeEvent;
import org.bukkit.event.block.BlockFadeEvent;
import org.bukkit.event.block.BlockFertilizeEvent;
import org.bukkit.event.block.BlockFormEvent;
import org.bukkit.event.block.BlockFromToEvent;
import org.bukkit.event.block.BlockGrowEvent;
import org.bukkit.event.block.BlockIgniteEvent;
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
import org.bukkit.event.entity.CreatureSpawnEvent.SpawnReason;
import org.bukkit.event.entity.EntityChangeBlockEvent;
import org.bukkit.event.entity.EntityExplodeEvent;
import org.bukkit.event.player.PlayerBucketEmptyEvent;
import org.bukkit.event.player.PlayerBucketFillEvent;
import org.bukkit.event.world.PortalCreateEvent;
import org.bukkit.event.world.StructureGrowEvent;

/** An event that would change a block: the one at a place where there is a disk or none. */
record EventKind(String cause, boolean byPlayer, EventKind.EventsOf events) {
    /** Makes an event about a block. */
    interface EventsOf {
        Event of(FakeBlock block, FakePlayer player);
    }

    private static final String STONE = "minecraft:stone";
    private static final String DIRT = "minecraft:dirt";

    @Override
    public String toString() {
        return cause;
    }

    private static EventKind kind(String cause, Function<FakeBlock, Event> events) {
        return new EventKind(cause, false, (block, player) -> events.apply(block));
    }

    private static EventKind by(String cause, EventsOf events) {
        return new EventKind(cause, true, events);
    }

    private static List<Block> list(FakeBlock block) {
        return new ArrayList<>(List.of(outside(block), block));
    }

    /** A block that is in no disk. */
    static FakeBlock outside(FakeBlock block) {
        return block.world().block(-5, 70, -5);
    }

    static Location at(FakeBlock block, int x, int y, int z) {
        return new Location(block.world(), block.x() + x + 0.5, block.y() + y, block.z() + z + 0.5);
    }

    static Stream<EventKind> all() {
        return Stream.of(
                by("block_place", (block, player) -> {
                    block.world().set(block.x(), block.y(), block.z(), DIRT);
                    return new BlockPlaceEvent(block, block.state(STONE), block, null, player, true, null);
                }),
                by("block_break", BlockBreakEvent::new),
                kind("block_destroy", block -> new BlockDestroyEvent(block, block.getBlockData(),
                        block.getBlockData(), 0, true)),
                by("bucket_empty", (block, player) -> new PlayerBucketEmptyEvent(player, block, block, BlockFace.UP,
                        null, null, null)),
                by("bucket_fill", (block, player) -> new PlayerBucketFillEvent(player, block, block, BlockFace.UP,
                        null, null, null)),
                kind("entity_explode", block -> new EntityExplodeEvent(new FakePlayer("creeper", at(block, 0, 0, 0)),
                        at(block, 0, 0, 0), list(block), 1, null)),
                kind("block_explode", block -> new BlockExplodeEvent(block, null, list(block), 1, null)),
                by("entity_change_block", (block, player) -> new EntityChangeBlockEvent(player, block,
                        block.getBlockData())),
                kind("creature_spawn", block -> new CreatureSpawnEvent(new FakePlayer("golem", at(block, 1, -2, 1)),
                        SpawnReason.BUILD_IRONGOLEM)),
                kind("block_piston_extend", block -> new BlockPistonExtendEvent(block.world().block(-2, block.y(),
                        block.z()), List.of(block.world().block(-1, block.y(), block.z())), BlockFace.EAST)),
                kind("block_piston_retract", block -> new BlockPistonRetractEvent(block.world().block(-2, block.y(),
                        block.z()), List.of(block), BlockFace.WEST)),
                kind("block_from_to", block -> new BlockFromToEvent(outside(block), block)),
                kind("block_spread", block -> new BlockSpreadEvent(block, outside(block), null)),
                kind("block_grow", block -> new BlockGrowEvent(block, null)),
                by("entity_block_form", (block, player) -> new EntityBlockFormEvent(player, block, null)),
                kind("block_form", block -> new BlockFormEvent(block, null)),
                kind("block_fade", block -> new BlockFadeEvent(block, null)),
                kind("block_burn", block -> new BlockBurnEvent(block, null)),
                by("block_ignite", (block, player) -> new BlockIgniteEvent(block, null, player)),
                kind("leaves_decay", LeavesDecayEvent::new),
                kind("moisture_change", block -> new MoistureChangeEvent(block, null)),
                kind("sculk_bloom", block -> new SculkBloomEvent(block, 5)),
                kind("redstone", block -> new BlockRedstoneEvent(block, 0, 15)),
                kind("block_dispense", block -> {
                    block.world().set(-1, block.y(), block.z(), "minecraft:dispenser[facing=east]");
                    return new BlockDispenseEvent(block.world().block(-1, block.y(), block.z()), null, null);
                }),
                by("block_fertilize", (block, player) -> new BlockFertilizeEvent(outside(block), player,
                        List.of(block.state(DIRT)))),
                kind("sponge_absorb", block -> new SpongeAbsorbEvent(outside(block),
                        new ArrayList<>(List.of(block.state(DIRT))))),
                by("structure_grow", (block, player) -> new StructureGrowEvent(at(block, -20, 0, 0), null, true,
                        player, List.of(block.state(DIRT)))),
                kind("portal_create", block -> new PortalCreateEvent(List.of(block.state(DIRT)), block.world(), null,
                        null)));
    }
}
