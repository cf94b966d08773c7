package bbd.companion.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.anvil.UnreadableChunk;
import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.bukkit.World;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The adapter's world, asked as the core asks. */
@Timeout(60)
class WorldTest {
    private static final ChunkPos AT = new ChunkPos(2, 0);
    @TempDir
    Path folder;
    private Fixture fixture;
    private FakeWorld server;
    private PaperWorld world;

    @BeforeEach
    void start() throws IOException {
        fixture = new Fixture(folder).with("save-seconds: 30").start();
        server = fixture.world;
        world = fixture.adapter();
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    /** What a future has come to when the server has ticked as often as it takes. */
    private <T> T got(CompletableFuture<T> future) throws Exception {
        fixture.until(future::isDone);
        return future.get();
    }

    private char number(String name) {
        return world.states().number(new BlockState(name));
    }

    private char[] filled(String name) {
        char[] section = new char[Column.BLOCKS];
        java.util.Arrays.fill(section, number(name));
        return section;
    }

    private void put(int index, char[] section) {
        char[][] sections = new char[Column.SECTIONS][];
        sections[index] = section;
        fixture.server.run(() -> world.put(AT, 1 << index, sections));
    }

    @Test
    void whatIsNowhereIsNothing() throws Exception {
        assertEquals(Optional.empty(), got(world.look(AT)));
        assertEquals(0, server.generated, "looking makes no chunks");
    }

    @Test
    void whatTheServerMadeUpIsNothing() throws Exception {
        fixture.server.run(() -> server.load(AT));
        assertEquals(Optional.empty(), got(world.look(AT)));
        server.set(32, 5, 0, "minecraft:stone");
        assertEquals(number("minecraft:stone"), got(world.look(AT)).orElseThrow().sections()[0][5 << 8]);
    }

    @Test
    void putAndPeekAreTheWorldsBlocks() throws Exception {
        got(world.hold(AT, false));
        server.set(33, 70, 1, "minecraft:dirt");
        put(3, filled("minecraft:stone"));
        assertEquals("minecraft:stone", server.get(32, 48, 0));
        assertEquals("minecraft:dirt", server.get(33, 70, 1), "the other sections stay");
        Column column = fixture.server.onMain(() -> world.peek(AT));
        assertEquals(number("minecraft:stone"), column.sections()[3][4095]);
        put(3, null);
        assertEquals(FakeData.AIR, server.get(32, 48, 0));
        assertEquals(0, server.get(47, 63, 15).compareTo(FakeData.AIR));
    }

    @Test
    void holdsCount() throws Exception {
        CompletableFuture<Void> first = world.hold(AT, false);
        CompletableFuture<Void> second = world.hold(AT, false);
        got(first);
        got(second);
        world.release(AT);
        fixture.server.tick();
        assertEquals(Set.of(AT), Set.copyOf(server.tickets));
        world.release(AT);
        fixture.server.tick();
        assertEquals(Set.of(), Set.copyOf(server.tickets));
        got(world.hold(AT, false));
        assertEquals(Set.of(AT), Set.copyOf(server.tickets));
    }

    @Test
    void whatTheServerDoesNotLoadIsNotHeld() throws Exception {
        server.refusing = true;
        assertInstanceOf(IOException.class,
                assertThrows(ExecutionException.class, () -> got(world.hold(AT, false))).getCause());
        server.refusing = false;
        got(world.hold(AT, false));
        assertEquals(Set.of(AT), Set.copyOf(server.tickets));
    }

    @Test
    void savesAreAskedForOnceInAWhile() throws Exception {
        CompletableFuture<Void> first = world.save(Set.of(AT));
        got(first);
        assertEquals(1, server.saves);
        CompletableFuture<Void> second = world.save(Set.of(AT));
        CompletableFuture<Void> third = world.save(Set.of(AT));
        for (int i = 0; i < 5; i++) {
            fixture.server.tick();
        }
        assertFalse(second.isDone() || third.isDone(), "nobody says that it is saved");
        assertEquals(1, server.saves);
        fixture.server.run(() -> fixture.plugin.setEnabled(false));
        assertTrue(second.isDone() && third.isDone());
        assertEquals(2, server.saves);
    }

    @Test
    void anUnloadedChunkIsWhatItWasUntilItIsWritten() throws Exception {
        got(world.hold(AT, false));
        server.lagging = true;
        put(3, filled("minecraft:stone"));
        world.release(AT);
        fixture.server.tick();
        fixture.server.run(() -> server.unload(AT));
        assertTrue(server.files().column(AT).isEmpty(), "not yet");
        assertEquals(number("minecraft:stone"), got(world.look(AT)).orElseThrow().sections()[3][0]);
        assertTrue(world.unsaved(AT.region()).get(AT.index()));
        server.write();
        fixture.until(() -> world.leaving().chunks().isEmpty());
        assertEquals(number("minecraft:stone"), got(world.look(AT)).orElseThrow().sections()[3][0]);
        assertTrue(world.unsaved(AT.region()).isEmpty());
    }

    @Test
    void aChunkThatWasSavedBeforeIsWhatTheFileSays() throws Exception {
        got(world.hold(AT, false));
        put(3, filled("minecraft:stone"));
        got(world.save(Set.of(AT)));
        world.release(AT);
        fixture.server.tick();
        fixture.server.run(() -> server.unload(AT, false));
        assertEquals(Set.of(), world.leaving().chunks());
        assertEquals(Set.of(), world.unsavedRegions());
        assertEquals(number("minecraft:stone"), got(world.look(AT)).orElseThrow().sections()[3][0]);
    }

    @Test
    void whatIsInMemoryOnlyIsToldAsUnsaved() throws Exception {
        assertEquals(Set.of(), world.unsavedRegions());
        got(world.hold(AT, false));
        put(3, filled("minecraft:stone"));
        assertEquals(Set.of(AT.region()), world.unsavedRegions());
        got(world.save(Set.of(AT)));
        assertEquals(Set.of(), world.unsavedRegions());
    }

    @Test
    void aChunkThatCantBeReadIsAnErrorAndNotLoaded() throws Exception {
        got(world.hold(AT, false));
        put(3, filled("minecraft:stone"));
        got(world.save(Set.of(AT)));
        world.release(AT);
        fixture.server.tick();
        fixture.server.run(() -> server.unload(AT));
        fixture.until(() -> world.leaving().chunks().isEmpty());
        Path file = folder.resolve("world/region/r.0.0.mca");
        byte[] bytes = Files.readAllBytes(file);
        java.util.Arrays.fill(bytes, 8192 + 5, 8192 + 100, (byte) 0x55);
        Files.write(file, bytes);
        assertInstanceOf(UnreadableChunk.class,
                assertThrows(ExecutionException.class, () -> got(world.look(AT))).getCause());
        assertInstanceOf(UnreadableChunk.class,
                assertThrows(ExecutionException.class, () -> got(world.hold(AT, false))).getCause());
        assertFalse(server.loaded.containsKey(AT));
        got(world.hold(AT, true));
        assertTrue(server.loaded.containsKey(AT));
    }

    @Test
    void aBlockThatTheServerDoesNotKnowHasNoNumber() {
        assertEquals(bbd.companion.blocks.BlockStates.UNKNOWN, number("other:block"));
        assertEquals("false", world.states().state(number("minecraft:lever")).properties().get("powered"));
    }

    @Test
    void aLowDimensionEndsAtItsCeiling() throws Exception {
        Path nether = folder.resolve("world_nether");
        Files.createDirectories(nether);
        FakeWorld low = new FakeWorld(fixture.server, "the_nether", nether, nether.resolve("DIM-1/region"),
                World.Environment.NETHER);
        fixture.server.run(() -> {
            fixture.server.worlds.add(low);
            fixture.server.manager.call(new org.bukkit.event.world.WorldLoadEvent(low));
        });
        PaperWorld adapter = (PaperWorld) fixture.plugin.running().worlds().dimension("minecraft:the_nether")
                .orElseThrow();
        got(adapter.hold(AT, false));
        char[][] sections = new char[Column.SECTIONS][];
        sections[15] = filled("minecraft:stone");
        fixture.server.run(() -> adapter.put(AT, 0xFFFFF, sections));
        assertEquals("minecraft:stone", low.get(32, 255, 0));
        assertEquals(null, fixture.server.onMain(() -> adapter.peek(AT)).sections()[16]);
        got(adapter.save(Set.of(AT)));
        assertTrue(Files.exists(nether.resolve("DIM-1/region/r.0.0.mca")));
        assertTrue(adapter.files().anew().column(AT).isPresent(), "the adapter looks where the server writes");
    }

    @Test
    void whenTheServerStopsNothingWaitsForEver() throws Exception {
        fixture.server.run(() -> fixture.plugin.setEnabled(false));
        assertThrows(ExecutionException.class, () -> world.look(AT).get(10, TimeUnit.SECONDS));
        assertThrows(ExecutionException.class, () -> world.hold(AT, false).get(10, TimeUnit.SECONDS));
    }
}
