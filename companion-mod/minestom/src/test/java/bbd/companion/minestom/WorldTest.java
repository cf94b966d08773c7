package bbd.companion.minestom;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.anvil.AnvilStore;
import bbd.companion.anvil.UnreadableChunk;
import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.BlockStates;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletionException;
import net.minestom.server.MinecraftServer;
import net.minestom.server.instance.block.Block;
import net.minestom.server.world.DimensionType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WorldTest {
    private static final ChunkPos AT = new ChunkPos(3, -2);
    private static final ChunkPos OTHER = new ChunkPos(4, -2);
    private final MinestomStates states = new MinestomStates();
    @TempDir
    private Path folder;
    private World world;

    @BeforeAll
    static void begin() {
        MinecraftServer.init();
        MinecraftServer.getExceptionManager().setExceptionHandler(error -> {});
    }

    @BeforeEach
    void open() {
        world = anew();
    }

    private World anew() {
        return new World("minecraft:overworld", DimensionType.OVERWORLD, new AnvilStore(folder, states), states);
    }

    private char[] random(int kinds) {
        Random random = new Random(kinds);
        char[] blocks = new char[Column.BLOCKS];
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = (char) (1 + random.nextInt(kinds));
        }
        return blocks;
    }

    private void put(ChunkPos at, int section, char[] blocks) {
        world.hold(at, false).join();
        char[][] sections = new char[Column.SECTIONS][];
        sections[section] = blocks;
        world.put(at, 1 << section, sections);
        world.release(at);
    }

    private static Optional<Column> look(World at, ChunkPos where) {
        return at.look(where).join();
    }

    @Test
    void whatIsPutStandsBlockByBlockInTheGame() {
        for (int kinds : new int[]{1, 2, 16, 17, 256, 257, 4096}) {
            char[] blocks = random(kinds);
            put(AT, 5, blocks);
            for (int i = 0; i < Column.BLOCKS; i += 7) {
                Block block = world.instance().getBlock(16 * AT.x() + (i & 15), 80 + (i >> 8),
                        16 * AT.z() + (i >> 4 & 15));
                assertEquals(blocks[i], block.stateId(), "of " + kinds + " kinds, block " + i);
            }
        }
    }

    @Test
    void whatIsSavedIsThereInAnotherServer() {
        char[] blocks = random(300);
        put(AT, 5, blocks);
        world.save(Set.of(AT)).join();
        assertArrayEquals(blocks, look(anew(), AT).orElseThrow().sections()[5]);
        assertFalse(world.loaded(AT).orElseThrow().isDirty());
    }

    @Test
    void aBlockThatAPlayerPlacesIsSavedToo() throws IOException {
        put(AT, 5, random(9));
        world.save(Set.of(AT)).join();
        world.instance().setBlock(48, -60, -32, Block.LEVER.withProperty("powered", "true"));
        world.saveDirty();
        World later = anew();
        later.hold(AT, false).join();
        assertEquals("true", later.instance().getBlock(48, -60, -32).getProperty("powered"));
    }

    @Test
    void lookingMakesNothing() throws IOException {
        assertTrue(look(world, AT).isEmpty());
        world.hold(AT, false).join();
        assertTrue(look(world, AT).isEmpty());
        world.saveDirty();
        assertFalse(Files.exists(folder.resolve("r.0.-1.mca")));
        assertTrue(world.unsavedRegions().isEmpty());
    }

    @Test
    void aColumnThatWasSeenDoesNotChangeUnderTheEyes() {
        put(AT, 0, random(3));
        Column before = world.peek(AT);
        char[] copy = before.sections()[0].clone();
        world.instance().setBlock(48, 0, -32, Block.BEDROCK);
        assertArrayEquals(copy, before.sections()[0]);
        assertEquals(Block.BEDROCK.stateId(), world.peek(AT).sections()[0][0]);
    }

    @Test
    void aChunkThatCannotBeReadIsAnErrorAndStays() throws IOException {
        put(AT, 5, random(9));
        put(OTHER, 5, random(9));
        world.save(Set.of(AT, OTHER)).join();
        Path file = folder.resolve("r.0.-1.mca");
        try (RandomAccessFile region = new RandomAccessFile(file.toFile(), "rw")) {
            region.seek(4L * AT.index());
            int location = region.readInt();
            region.seek(4096L * (location >>> 8) + 5);
            region.write(new byte[64]);
        }
        byte[] damaged = Files.readAllBytes(file);
        world = anew();
        assertInstanceOf(UnreadableChunk.class,
                assertThrows(CompletionException.class, () -> look(world, AT)).getCause());
        var held = assertThrows(CompletionException.class, () -> world.hold(AT, false).join());
        assertInstanceOf(UnreadableChunk.class, held.getCause());
        // A player who comes near gets all chunks or none: this one, too, though nothing can be seen or changed there.
        assertTrue(world.instance().loadChunk(AT.x(), AT.z()).join().isLoaded());
        world.instance().setBlock(48, 80, -32, Block.BEDROCK);
        assertEquals(Block.AIR, world.instance().getBlock(48, 80, -32));
        assertThrows(CompletionException.class, () -> look(world, AT));
        assertThrows(CompletionException.class, () -> world.hold(AT, false).join());
        assertTrue(world.loaded(AT).isEmpty());
        world.saveDirty();
        assertArrayEquals(damaged, Files.readAllBytes(file));
        world.hold(AT, true).join();
        world.put(AT, 1, new char[][]{random(4), null, null, null, null, null, null, null, null, null, null, null, null,
                null, null, null, null, null, null, null});
        world.save(Set.of(AT)).join();
        assertArrayEquals(random(4), look(anew(), AT).orElseThrow().sections()[0]);
    }

    @Test
    void whatCanBeReadAgainIsThereAgain() throws IOException {
        put(AT, 5, random(9));
        world.save(Set.of(AT)).join();
        Path file = folder.resolve("r.0.-1.mca");
        byte[] sound = Files.readAllBytes(file);
        byte[] damaged = sound.clone();
        java.util.Arrays.fill(damaged, 8192 + 5, 8192 + 69, (byte) 0);
        Files.write(file, damaged);
        world = anew();
        assertTrue(world.instance().loadChunk(AT.x(), AT.z()).join().isLoaded());
        assertTrue(world.loaded(AT).isEmpty());
        Files.write(file, sound);
        put(AT, 6, random(2));
        world.save(Set.of(AT)).join();
        assertArrayEquals(random(9), look(anew(), AT).orElseThrow().sections()[5]);
        assertArrayEquals(random(9), look(world, AT).orElseThrow().sections()[5]);
        assertArrayEquals(random(2), look(anew(), AT).orElseThrow().sections()[6]);
    }

    @Test
    void aBlockThatTheServerDoesNotKnowIsNotLost() throws IOException {
        BlockStates wider = new bbd.companion.blocks.InternedStates(state -> state);
        char[] blocks = new char[Column.BLOCKS];
        blocks[17] = wider.number(new BlockState("minecraft:block_of_tomorrow"));
        try (AnvilStore store = new AnvilStore(folder, wider)) {
            store.save(Map.of(AT, Map.of(5, blocks)), Set.of());
        }
        world.hold(AT, false).join();
        assertEquals(BlockStates.UNKNOWN, world.peek(AT).sections()[5][17]);
        assertEquals(Block.BEDROCK, world.instance().getBlock(49, 80, -31));
        put(AT, 6, random(2));
        world.save(Set.of(AT)).join();
        try (AnvilStore store = new AnvilStore(folder, wider)) {
            assertArrayEquals(blocks, store.column(AT).orElseThrow().sections()[5]);
        }
    }

    @Test
    void chunksThatNobodyNeedsAreForgotten() {
        put(AT, 5, random(9));
        world.unloadIdle();
        assertTrue(world.loaded(AT).isPresent(), "not saved yet");
        assertNull(world.peek(AT).sections()[4]);
        assertEquals(Set.of(AT.region()), world.unsavedRegions());
        assertTrue(world.unsaved(AT.region()).get(AT.index()));
    }
}
