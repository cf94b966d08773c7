package bbd.companion.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.blocks.ChunkPos;
import com.destroystokyo.paper.event.block.BlockDestroyEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bukkit.Location;
import org.bukkit.block.Block;
import org.bukkit.block.BlockFace;
import org.bukkit.event.Cancellable;
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
import org.bukkit.event.entity.CreatureSpawnEvent.SpawnReason;
import org.bukkit.event.entity.EntityChangeBlockEvent;
import org.bukkit.event.entity.EntityExplodeEvent;
import org.bukkit.event.player.PlayerBucketEmptyEvent;
import org.bukkit.event.player.PlayerBucketFillEvent;
import org.bukkit.event.world.PortalCreateEvent;
import org.bukkit.event.world.StructureGrowEvent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every event that changes blocks: cancelled in a protected disk, told of in another, nothing to us elsewhere. */
@Timeout(60)
class EventsTest {
    private static final String STONE = "minecraft:stone";
    private static final String DIRT = "minecraft:dirt";
    private static final int BELOW = 64;
    @TempDir
    Path folder;
    private Fixture fixture;
    private FakePlayer steve;

    /** An event that would change a block: the one at a place where there is a disk or none. */
    record Kind(String cause, boolean byPlayer, EventsOf events) {
        @Override
        public String toString() {
            return cause;
        }
    }

    interface EventsOf {
        Event of(FakeBlock block, FakePlayer player);
    }

    private static Kind kind(String cause, Function<FakeBlock, Event> events) {
        return new Kind(cause, false, (block, player) -> events.apply(block));
    }

    private static Kind by(String cause, EventsOf events) {
        return new Kind(cause, true, events);
    }

    private static List<Block> list(FakeBlock block) {
        return new ArrayList<>(List.of(outside(block), block));
    }

    /** A block that is in no disk. */
    private static FakeBlock outside(FakeBlock block) {
        return block.world().block(-5, 70, -5);
    }

    private static Location at(FakeBlock block, int x, int y, int z) {
        return new Location(block.world(), block.x() + x + 0.5, block.y() + y, block.z() + z + 0.5);
    }

    static Stream<Kind> kinds() {
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

    @BeforeEach
    void start() throws IOException {
        fixture = new Fixture(folder).with().start();
        for (int x = -2; x <= 1; x++) {
            for (int z = -2; z <= 1; z++) {
                fixture.world.load(new ChunkPos(x, z));
            }
        }
        steve = new FakePlayer("Steve", new Location(fixture.world, 0, 100, 0));
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    private FakeBlock stone(int x, int y, int z) {
        fixture.world.set(x, y, z, STONE);
        return fixture.world.block(x, y, z);
    }

    private <E extends Event> E call(E event) {
        return fixture.server.onMain(() -> fixture.server.manager.call(event));
    }

    /** Whether a block that an event is about would stay. */
    private static boolean prevented(Event event, FakeBlock block) {
        return switch (event) {
            case EntityExplodeEvent explosion -> explosion.blockList().equals(List.of(outside(block)));
            case BlockExplodeEvent explosion -> explosion.blockList().equals(List.of(outside(block)));
            case BlockRedstoneEvent current -> current.getNewCurrent() == current.getOldCurrent();
            default -> ((Cancellable) event).isCancelled();
        };
    }

    private long cancelled() {
        return fixture.companion().disks().statsOf("demo").cancelled.total();
    }

    private long edits() {
        return fixture.companion().disks().statsOf("demo").edits.total();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void inAProtectedDiskItIsCancelled(Kind kind) {
        FakeBlock block = stone(0, 70, 3);
        Event event = call(kind.events().of(block, steve));
        assertTrue(prevented(event, block));
        assertTrue(cancelled() > 0, "it is counted");
        assertEquals(kind.byPlayer() ? "This disk is protected." : "", steve.actionBar);
        fixture.world.set(0, 70, 3, "minecraft:air");
        fixture.server.tick();
        assertEquals(0, edits(), "what was cancelled is not told");
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void inAnotherDiskItIsTold(Kind kind) {
        fixture.companion().disks().protect("demo", false);
        FakeBlock block = stone(0, 70, 3);
        Event event = call(kind.events().of(block, steve));
        assertFalse(prevented(event, block));
        assertEquals("", steve.actionBar);
        fixture.world.set(0, 70, 3, "minecraft:air");
        fixture.server.tick();
        assertEquals(1, edits());
        assertEquals(0, cancelled());
        fixture.server.tick();
        assertEquals(1, edits(), "once");
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void elsewhereItIsNothingToUs(Kind kind) {
        FakeBlock block = stone(-6, 70, -14);
        FakeBlock event = kind.cause().startsWith("block_piston") || kind.cause().equals("block_dispense")
                ? stone(-12, 70, -14)
                : block;
        assertFalse(prevented(call(kind.events().of(event, steve)), event));
        assertEquals(0, cancelled());
        fixture.world.set(-6, 70, -14, "minecraft:air");
        fixture.server.tick();
        assertEquals(0, edits());
    }

    @Test
    void allEventsOfTheListAreThere() {
        Set<String> listened = fixture.server.manager.all.stream().map(one -> one.type().getSimpleName())
                .collect(Collectors.toSet());
        for (String name : List.of("BlockPlace", "BlockBreak", "EntityExplode", "BlockExplode", "EntityChangeBlock",
                "BlockPistonExtend", "BlockPistonRetract", "BlockFromTo", "BlockSpread", "BlockGrow", "BlockForm",
                "BlockFade", "BlockBurn", "BlockIgnite", "LeavesDecay", "StructureGrow", "BlockFertilize",
                "BlockDispense", "SculkBloom", "PortalCreate", "BlockDestroy", "SpongeAbsorb", "MoistureChange",
                "EntityBlockForm", "CreatureSpawn", "BlockRedstone")) {
            assertTrue(listened.contains(name + "Event"), name);
        }
    }

    @Test
    void allRulesAreTried() {
        assertEquals(Rules.all().stream().map(Rule::cause).toList(), kinds().map(Kind::cause).toList());
    }

    @Test
    void anExplosionTakesWhatIsNoDisks() {
        FakeBlock block = stone(0, 70, 3);
        FakeBlock below = fixture.world.block(0, -BELOW, 3);
        List<Block> blocks = new ArrayList<>(List.of(block, below, outside(block)));
        call(new EntityExplodeEvent(steve, at(block, 0, 0, 0), blocks, 1, null));
        assertEquals(List.of(below, outside(block)), blocks);
    }

    @Test
    void aLeverOfAnUnprotectedDiskIsTold() {
        fixture.companion().disks().protect("demo", false);
        fixture.world.set(0, 70, 3, "minecraft:lever[face=floor,facing=north,powered=false]");
        call(new BlockRedstoneEvent(fixture.world.block(0, 70, 3), 0, 15));
        fixture.world.set(0, 70, 3, "minecraft:lever[face=floor,facing=north,powered=true]");
        fixture.server.tick();
        assertEquals(1, edits());
    }

    @Test
    void whatComesToNothingIsNotTold() {
        fixture.companion().disks().protect("demo", false);
        call(new BlockBreakEvent(stone(0, 70, 3), steve));
        fixture.server.tick();
        assertEquals(0, edits());
    }

    @Test
    void pistonsTakeTheirTime() {
        fixture.companion().disks().protect("demo", false);
        FakeBlock block = stone(0, 70, 3);
        call(new BlockPistonExtendEvent(fixture.world.block(-1, 70, 3), List.of(block), BlockFace.EAST));
        fixture.world.set(0, 70, 3, "minecraft:moving_piston");
        fixture.server.tick();
        assertEquals(1, edits());
        fixture.server.tick();
        fixture.world.set(0, 70, 3, "minecraft:air");
        fixture.server.tick();
        assertEquals(2, edits());
    }

    @Test
    void bothHalvesOfADoorCount() {
        FakeBlock above = fixture.world.block(0, 271 + 48, 3);
        FakeBlock upper = fixture.world.block(0, 20, 3);
        Event refused = call(new BlockMultiPlaceEvent(List.of(fixture.world.block(-1, 20, 3).state(STONE),
                upper.state(STONE)), above, null, steve, true, null));
        assertTrue(((Cancellable) refused).isCancelled());
    }

    @Test
    void otherCreaturesMaySpawn() {
        FakeBlock block = stone(0, 70, 3);
        var event = call(new CreatureSpawnEvent(new FakePlayer("zombie", at(block, 0, 1, 0)), SpawnReason.NATURAL));
        assertFalse(event.isCancelled());
        assertEquals(0, cancelled());
    }

    @Test
    void aDragonEggLeavesItsPlace() {
        assertTrue(call(new BlockFromToEvent(stone(0, 70, 3), outside(stone(0, 70, 3)))).isCancelled());
        fixture.world.set(0, 70, 3, "minecraft:water[level=0]");
        FakeBlock water = fixture.world.block(0, 70, 3);
        assertFalse(call(new BlockFromToEvent(water, outside(water))).isCancelled());
    }
}
