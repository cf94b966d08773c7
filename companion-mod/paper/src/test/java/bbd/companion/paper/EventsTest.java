package bbd.companion.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.blocks.ChunkPos;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bukkit.Location;
import org.bukkit.block.Block;
import org.bukkit.block.BlockFace;
import org.bukkit.event.Cancellable;
import org.bukkit.event.Event;
import org.bukkit.event.block.BlockBreakEvent;
import org.bukkit.event.block.BlockExplodeEvent;
import org.bukkit.event.block.BlockFromToEvent;
import org.bukkit.event.block.BlockMultiPlaceEvent;
import org.bukkit.event.block.BlockPistonExtendEvent;
import org.bukkit.event.block.BlockRedstoneEvent;
import org.bukkit.event.entity.CreatureSpawnEvent;
import org.bukkit.event.entity.CreatureSpawnEvent.SpawnReason;
import org.bukkit.event.entity.EntityExplodeEvent;
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
    private static final int BELOW = 64;
    @TempDir
    Path folder;
    private Fixture fixture;
    private FakePlayer steve;

    static Stream<EventKind> kinds() {
        return EventKind.all();
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
            case EntityExplodeEvent explosion -> explosion.blockList().equals(List.of(EventKind.outside(block)));
            case BlockExplodeEvent explosion -> explosion.blockList().equals(List.of(EventKind.outside(block)));
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
    void inAProtectedDiskItIsCancelled(EventKind kind) {
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
    void inAnotherDiskItIsTold(EventKind kind) {
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
    void elsewhereItIsNothingToUs(EventKind kind) {
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
        assertEquals(Rules.all().stream().map(Rule::cause).toList(), kinds().map(EventKind::cause).toList());
    }

    @Test
    void anExplosionTakesWhatIsNoDisks() {
        FakeBlock block = stone(0, 70, 3);
        FakeBlock below = fixture.world.block(0, -BELOW, 3);
        List<Block> blocks = new ArrayList<>(List.of(block, below, EventKind.outside(block)));
        call(new EntityExplodeEvent(steve, EventKind.at(block, 0, 0, 0), blocks, 1, null));
        assertEquals(List.of(below, EventKind.outside(block)), blocks);
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
        var event = call(
                new CreatureSpawnEvent(new FakePlayer("zombie", EventKind.at(block, 0, 1, 0)), SpawnReason.NATURAL));
        assertFalse(event.isCancelled());
        assertEquals(0, cancelled());
    }

    @Test
    void aDragonEggLeavesItsPlace() {
        assertTrue(call(new BlockFromToEvent(stone(0, 70, 3), EventKind.outside(stone(0, 70, 3)))).isCancelled());
        fixture.world.set(0, 70, 3, "minecraft:water[level=0]");
        FakeBlock water = fixture.world.block(0, 70, 3);
        assertFalse(call(new BlockFromToEvent(water, EventKind.outside(water))).isCancelled());
    }
}
