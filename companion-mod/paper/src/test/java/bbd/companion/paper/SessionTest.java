package bbd.companion.paper;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Indices;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bukkit.Location;
import org.bukkit.block.Block;
import org.bukkit.event.block.BlockBreakEvent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A client of the bridge and a server that ticks. */
@Timeout(60)
class SessionTest {
    private static final int UNREADABLE = 15;
    private static final int STOPPING = 24;
    @TempDir
    Path folder;
    private Fixture fixture;
    private FakeWorld world;

    @BeforeEach
    void make() throws IOException {
        fixture = new Fixture(folder).with("save-seconds: 0", "create: true");
        world = fixture.world;
    }

    /** A plugin that has the world saved as often as it likes. */
    private BridgeClient begin() throws Exception {
        fixture.start();
        fixture.adapter().saver().hurry();
        fixture.server.goOn();
        return BridgeClient.opened(fixture);
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    /** What a world would say of a number of the palette. */
    private static String text(char index) {
        return List.of("minecraft:stone", "minecraft:lever[face=wall,facing=north,powered=false]", FakeData.AIR)
                .get(index);
    }

    private void assertStands(byte[] section, int x, int index) {
        for (int i = 0; i < Indices.BLOCKS; i += 37) {
            int block = i;
            assertEquals(text(Indices.at(section, i)), fixture.server.onMain(
                    () -> world.get(16 * x + (block & 15), 16 * index + (block >> 8), block >> 4 & 15)));
        }
    }

    @Test
    void whatIsWrittenStandsInTheWorldAndIsConfirmed() throws Exception {
        BridgeClient client = begin();
        assertEquals(Frames.Status.ABSENT, client.read(3).status());
        client.write(BridgeClient.change(3, false, 7, 4, BridgeClient.section(1)));
        assertEquals(0, client.outcome(false).code());
        Frames.Outcome confirmed = client.outcome(true);
        assertEquals(List.of(0, 7L), List.of(confirmed.code(), confirmed.generation()));
        assertStands(BridgeClient.section(1), 3, 4);
        assertTrue(world.files().column(new ChunkPos(3, 0)).isPresent());
        assertArrayEquals(BridgeClient.section(1), client.read(3).sections()[4]);
        assertEquals(0, client.ask("\"do\": \"bye\"").size());
    }

    @Test
    void aChunkIsHeldUntilItIsConfirmed() throws Exception {
        world.lagging = true;
        BridgeClient client = begin();
        client.write(BridgeClient.change(3, false, 7, 4, BridgeClient.section(1)));
        assertEquals(0, client.outcome(false).code());
        int before = world.saves;
        while (world.saves < before + 2) {
            FakeServer.sleep(5);
        }
        assertTrue(client.told.isEmpty(), "a save that was only asked for confirms nothing: " + client.told);
        assertEquals(Set.of(new ChunkPos(3, 0)), Set.copyOf(world.tickets));
        world.write();
        assertEquals(7, client.outcome(true).generation());
        while (!world.tickets.isEmpty()) {
            FakeServer.sleep(5);
        }
    }

    @Test
    void aTickTakesNoMoreThanItsBudget() throws Exception {
        assertEquals(1, mostAtOnce(1, 5), "each takes more than the budget");
        fixture.close();
        fixture = new Fixture(folder.resolve("other")).with();
        world = fixture.world;
        assertTrue(mostAtOnce(45, 1) > 1);
    }

    /** How many columns were written in one tick, when several are ready and each takes so long. */
    private int mostAtOnce(int budget, int millis) throws Exception {
        world.slow = millis;
        fixture.with("save-seconds: 0", "tick-millis: " + budget).start();
        FakePlayer op = new FakePlayer("op", new Location(world, 0, 100, 0), "bbd.operate");
        BridgeClient client = BridgeClient.opened(fixture);
        say(op, "pause");
        for (int x = 0; x < 6; x++) {
            client.write(BridgeClient.change(x, false, 1, 0, BridgeClient.section(x)));
        }
        fixture.until(() -> world.tickets.size() == 6);
        assertEquals(Map.of(), world.written);
        say(op, "resume");
        fixture.until(() -> world.written.values().stream().mapToInt(Set::size).sum() == 6);
        return world.written.values().stream().mapToInt(Set::size).max().orElseThrow();
    }

    @Test
    void aChunkThatTheGameWouldMakeAnewIsNotTouched() throws Exception {
        BridgeClient client = begin();
        client.write(BridgeClient.change(3, false, 1, 4, BridgeClient.section(1)));
        client.outcome(true);
        unload(new ChunkPos(3, 0));
        damage(3);
        int generated = world.generated;
        assertEquals(Frames.Status.UNREADABLE, client.read(3).status());
        client.write(BridgeClient.change(3, false, 2, 4, BridgeClient.section(2)));
        assertEquals(UNREADABLE, client.outcome(false).code());
        assertEquals(generated, world.generated);
        client.write(BridgeClient.change(3, true, 3, 4, BridgeClient.section(2)));
        assertEquals(0, client.outcome(false).code());
        assertEquals(3, client.outcome(true).generation());
        assertArrayEquals(BridgeClient.section(2), client.read(3).sections()[4]);
    }

    private void unload(ChunkPos at) {
        while (world.tickets.contains(at)) {
            FakeServer.sleep(5);
        }
        fixture.server.run(() -> world.unload(at));
        while (!fixture.adapter().leaving().chunks().isEmpty()) {
            FakeServer.sleep(5);
        }
    }

    private void damage(int x) throws IOException {
        Path file = folder.resolve("world/region/r.0.0.mca");
        byte[] bytes = Files.readAllBytes(file);
        int sector = ByteBuffer.wrap(bytes).getInt(4 * x) >>> 8;
        java.util.Arrays.fill(bytes, sector * 4096 + 5, sector * 4096 + 100, (byte) 0x55);
        Files.write(file, bytes);
    }

    @Test
    void anEditIsPushedToTheClient() throws Exception {
        fixture.with("protect: false", "save-seconds: 0");
        BridgeClient client = begin();
        fixture.server.run(() -> {
            world.load(new ChunkPos(0, 0));
            world.set(1, 20, 3, "minecraft:stone");
            Block block = world.block(1, 20, 3);
            FakePlayer steve = new FakePlayer("Steve", new Location(world, 0, 30, 0));
            fixture.server.manager.call(new BlockBreakEvent(block, steve));
            world.set(1, 20, 3, FakeData.AIR);
        });
        Map<?, ?> edit = (Map<?, ?>) ((List<?>) client.push("changed").get("edits")).get(0);
        assertEquals(Map.of("x", 1L, "y", 20L, "z", 3L, "was", "minecraft:stone", "now", FakeData.AIR, "cause",
                "block_break", "who", "Steve"), edit);
    }

    @Test
    void stoppingConfirmsWhatWasWritten() throws Exception {
        world.lagging = true;
        BridgeClient client = begin();
        client.write(BridgeClient.change(3, false, 7, 4, BridgeClient.section(1)));
        assertEquals(0, client.outcome(false).code());
        world.lagging = false;
        fixture.server.run(() -> fixture.plugin.setEnabled(false));
        assertTrue(world.files().column(new ChunkPos(3, 0)).isPresent());
        assertEquals(7, client.outcome(true).generation());
        assertEquals(1001, client.next(Integer.class));
    }

    @Test
    void whatIsNotYetInMemoryDoesNotKeepTheServerFromStopping() throws Exception {
        fixture.start();
        BridgeClient client = BridgeClient.opened(fixture);
        fixture.server.loading = false;
        client.write(BridgeClient.change(3, false, 7, 4, BridgeClient.section(1)));
        fixture.until(() -> fixture.server.asked > 0);
        fixture.server.run(() -> fixture.plugin.setEnabled(false));
        assertEquals(STOPPING, client.outcome(false).code());
        assertEquals(Set.of(), Set.copyOf(world.tickets));
    }

    @Test
    void aDiskIsMadeWhenAnOperatorAllowsIt() throws Exception {
        FakePlayer op = new FakePlayer("op", new Location(world, 0, 100, 0), "bbd.approve", "bbd.info");
        FakePlayer guest = new FakePlayer("guest", new Location(world, 0, 100, 0), "bbd.info");
        fixture.server.players.addAll(List.of(op, guest));
        BridgeClient client = begin();
        assertEquals("approval_needed", client.ask(BridgeClient.create("new", 64)).get("code"));
        while (op.told.isEmpty()) {
            FakeServer.sleep(5);
        }
        assertTrue(op.told.get(0).contains("4 MiB in minecraft:overworld from chunk 64,0 on, 64 chunks. To allow it: "
                + "/bbd approve new"), op.told.get(0));
        assertEquals(List.of(), guest.told);
        assertTrue(fixture.log.get(fixture.log.size() - 1)
                .startsWith("WARNING Somebody wants to make or enlarge a disk: new"));
        say(guest, "approve", "new");
        assertEquals(List.of("You may not: that takes the permission bbd.approve."), guest.told);
        assertEquals("approval_needed", client.ask(BridgeClient.create("new", 64)).get("code"));
        say(op, "approve", "new");
        assertEquals("approval_needed", client.ask(BridgeClient.create("new", 128)).get("code"), "another place");
        assertEquals(Map.of(), client.ask(BridgeClient.create("new", 64)));
        assertTrue(Files.exists(folder.resolve("world/bbd/new.json")));
        assertFalse(fixture.companion().disks().at(Fixture.OVERWORLD, 64 * 16, 0, 0).isEmpty());
    }

    private void say(FakePlayer player, String... words) {
        fixture.server.run(() -> fixture.plugin.onCommand(player, null, "bbd", words));
    }

    @Test
    void aPauseIsForBackups() throws Exception {
        FakePlayer op = new FakePlayer("op", new Location(world, 0, 100, 0), "bbd.operate");
        BridgeClient client = begin();
        say(op, "pause");
        assertEquals("op", client.push("paused").get("who"));
        while (op.told.size() < 2) {
            FakeServer.sleep(5);
        }
        assertEquals("demo is paused and saved: make the backup now, then /bbd resume.", op.told.get(1));
        client.write(BridgeClient.change(3, false, 7, 4, BridgeClient.section(1)));
        assertEquals(Frames.Status.ABSENT, client.read(3).status());
        assertTrue(client.told.isEmpty(), "nothing is written while it is paused");
        say(op, "resume");
        assertEquals(0, client.outcome(false).code());
    }
}
