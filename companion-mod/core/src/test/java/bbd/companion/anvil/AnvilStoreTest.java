package bbd.companion.anvil;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.InternedStates;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnvilStoreTest {
    private static final ChunkPos AT = new ChunkPos(3, -1);
    private static final ChunkPos REGION = new ChunkPos(0, -1);
    private final InternedStates states = new InternedStates(state -> state);
    @TempDir
    Path folder;
    private AnvilStore store;

    @BeforeEach
    void open() {
        store = new AnvilStore(folder, states);
    }

    private char[] section(int seed, int kinds) {
        Random random = new Random(seed);
        char[] blocks = new char[4096];
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = states.number(new BlockState("minecraft:b" + random.nextInt(kinds)));
        }
        return blocks;
    }

    private void save(Map<Integer, char[]> sections) throws IOException {
        store.save(Map.of(AT, sections), Set.of());
    }

    private byte[] content() throws IOException {
        byte[] raw = store.raw(AT).orElseThrow();
        return new RawChunk(raw[0], java.util.Arrays.copyOfRange(raw, 1, raw.length)).content(List.of()).kept();
    }

    private void put(RawChunk chunk) throws IOException {
        try (RegionFile file = new RegionFile(folder, REGION, true)) {
            file.write(Map.of(AT.index(), chunk), Set.of());
        }
        store = new AnvilStore(folder, states);
    }

    @Test
    void whatIsSavedIsLoaded() throws IOException {
        for (int kinds : new int[]{1, 2, 16, 17, 256, 300}) {
            char[] low = section(kinds, kinds);
            char[] high = section(-kinds, kinds);
            save(new java.util.HashMap<>(Map.of(0, low, 19, high)));
            var loaded = store.anew().load(AT).orElseThrow();
            assertEquals(Set.of(0, 19), loaded.sections().keySet());
            assertArrayEquals(low, loaded.sections().get(0));
            assertArrayEquals(high, loaded.sections().get(19));
            assertEquals(AnvilStore.DATA_VERSION, loaded.dataVersion());
        }
        assertTrue(store.present(REGION).get(AT.index()));
        assertTrue(store.load(new ChunkPos(4, -1)).isEmpty());
    }

    @Test
    void denseBytesAreStoredAndTheRestIsSmall() throws IOException {
        Map<Integer, char[]> all = new java.util.HashMap<>();
        for (int y = 0; y < 20; y++) {
            all.put(y, section(y, 256));
        }
        save(all);
        int stored = store.raw(AT).orElseThrow().length;
        assertTrue(stored > 20 * 4096 && stored < 20 * 5200, "stored in " + stored);
    }

    @Test
    void whatDidNotChangeIsNotWritten() throws IOException {
        save(Map.of(2, section(1, 20)));
        byte[] before = Files.readAllBytes(folder.resolve("r.0.-1.mca"));
        save(Map.of(2, section(1, 20)));
        assertArrayEquals(before, Files.readAllBytes(folder.resolve("r.0.-1.mca")));
    }

    @Test
    void aChunkOfAirGoes() throws IOException {
        save(Map.of(2, section(1, 20)));
        Map<Integer, char[]> air = new java.util.HashMap<>();
        air.put(2, null);
        save(air);
        assertTrue(store.anew().load(AT).isEmpty());
        assertFalse(store.present(REGION).get(AT.index()));
    }

    /** A chunk as a game has saved it: a version of its own, tags that nobody knows, light, things with a place. */
    private byte[] foreign() {
        NbtWriter out = new NbtWriter(1000);
        out.head(Nbt.COMPOUND, "").tag("DataVersion", 4790).tag("Mystery", "kept").tag("isLightOn", (byte) 1);
        out.tag("Status", "minecraft:full");
        out.listHead("block_entities", Nbt.COMPOUND, 2);
        out.tag("y", 5).tag("id", "gone").end().tag("y", 100).tag("id", "stays").end();
        out.listHead("sections", Nbt.COMPOUND, 1);
        out.tag("Y", (byte) 0).tag("Odd", 7L).head(Nbt.BYTE_ARRAY, "SkyLight").number(1).write(9);
        out.head(Nbt.COMPOUND, "block_states").listHead("palette", Nbt.COMPOUND, 1);
        out.tag("Name", "minecraft:stone").end().end().end().end();
        return out.toByteArray();
    }

    @Test
    void whatIsNotUnderstoodIsKept() throws IOException {
        put(RawChunk.zlib(foreign()));
        save(Map.of(0, section(1, 20), 1, section(2, 20)));
        Chunk chunk = Chunk.parse(Content.of(content()), new Palettes(states));
        assertEquals(4790, chunk.dataVersion());
        assertEquals("kept", chunk.nbt.text(Nbt.named(chunk.tags, "Mystery", Nbt.STRING).payload()));
        assertNull(Nbt.named(chunk.tags, "isLightOn", Nbt.BYTE));
        assertEquals(7L, chunk.nbt.number(Nbt.named(chunk.sections.get(0).tags(), "Odd", Nbt.LONG)));
        assertNull(Nbt.named(chunk.sections.get(0).tags(), "SkyLight", Nbt.BYTE_ARRAY));
        assertEquals(1, chunk.nbt.count(Nbt.named(chunk.tags, "block_entities", Nbt.LIST)));
    }

    @Test
    void aChunkWithSomebodysThingsIsNeverRemoved() throws IOException {
        put(RawChunk.zlib(foreign()));
        Map<Integer, char[]> air = new java.util.HashMap<>();
        air.put(0, null);
        save(air);
        assertTrue(store.anew().load(AT).orElseThrow().sections().isEmpty());
        assertTrue(store.present(REGION).get(AT.index()));
    }

    @Test
    void everyCompressionIsRead() throws IOException {
        byte[] nbt = foreign();
        ByteArrayOutputStream gzip = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(gzip)) {
            out.write(nbt);
        }
        for (RawChunk raw : List.of(new RawChunk(RawChunk.GZIP, gzip.toByteArray()), new RawChunk(RawChunk.NONE, nbt),
                RawChunk.zlib(nbt), new RawChunk(RawChunk.LZ4, lz4(nbt)))) {
            put(raw);
            assertEquals(4790, store.load(AT).orElseThrow().dataVersion(), "compression " + raw.compression());
        }
    }

    /** A block of literals and one of a run, as lz4-java frames them. */
    private static byte[] lz4(byte[] content) {
        byte[] run = new byte[1000];
        java.util.Arrays.fill(run, (byte) 7);
        ByteBuffer out = ByteBuffer.allocate(content.length + 200).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        ByteBuffer packed = ByteBuffer.allocate(content.length + 20);
        packed.put((byte) 0xF0);
        int rest = content.length - 15;
        while (rest >= 255) {
            packed.put((byte) 255);
            rest -= 255;
        }
        packed.put((byte) rest).put(content);
        block(out, 0x26, java.util.Arrays.copyOf(packed.array(), packed.position()), content);
        // One literal, then a match of 999 bytes, one byte back.
        byte[] match = {(byte) 0x1F, 7, 1, 0, (byte) 255, (byte) 255, (byte) 255, (byte) 215};
        block(out, 0x26, match, run);
        block(out, 0x16, new byte[0], new byte[0]);
        return java.util.Arrays.copyOf(out.array(), out.position());
    }

    private static void block(ByteBuffer out, int token, byte[] packed, byte[] content) {
        out.put("LZ4Block".getBytes(java.nio.charset.StandardCharsets.US_ASCII)).put((byte) token);
        out.putInt(packed.length).putInt(content.length);
        out.putInt(content.length == 0 ? 0 : Lz4.xxHash32(content) & 0x0FFFFFFF).put(packed);
    }

    @Test
    void aBlockThatHasLostItsSizeDoesNotEndAnLz4Stream() throws UnreadableChunk {
        byte[] stream = lz4(new byte[100]);
        assertEquals(1100, Lz4.unpack(stream, 1 << 20).length);
        java.util.Arrays.fill(stream, 13, 17, (byte) 0);
        assertThrows(UnreadableChunk.class, () -> Lz4.unpack(stream, 1 << 20));
    }

    @Test
    void aChunkThatCannotBeReadIsAnErrorAndStays() throws IOException {
        put(new RawChunk(RawChunk.ZLIB, new byte[]{1, 2, 3}));
        byte[] before = Files.readAllBytes(folder.resolve("r.0.-1.mca"));
        assertThrows(UnreadableChunk.class, () -> store.load(AT));
        assertThrows(UnreadableChunk.class, () -> save(Map.of(0, section(1, 2))));
        assertArrayEquals(before, Files.readAllBytes(folder.resolve("r.0.-1.mca")));
        store.save(Map.of(AT, Map.of(0, section(1, 2))), Set.of(AT));
        assertArrayEquals(section(1, 2), store.anew().load(AT).orElseThrow().sections().get(0));
    }

    @Test
    void brokenBytesAreNeverAnythingElseThanUnreadable() {
        byte[] good = foreign();
        Random random = new Random(5);
        for (int round = 0; round < 20_000; round++) {
            byte[] bad = java.util.Arrays.copyOf(good, 1 + random.nextInt(good.length));
            for (int i = random.nextInt(4); i >= 0; i--) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt();
            }
            try {
                Chunk.parse(Content.of(bad), new Palettes(states)).column(new Palettes(states));
            } catch (UnreadableChunk error) {
                assertFalse(error.getMessage().isEmpty());
            }
        }
    }

    @Test
    void nothingIsWrittenOver() throws IOException {
        save(Map.of(0, section(1, 256)));
        Path file = folder.resolve("r.0.-1.mca");
        byte[] before = Files.readAllBytes(file);
        save(Map.of(0, section(2, 256)));
        byte[] after = Files.readAllBytes(file);
        assertArrayEquals(java.util.Arrays.copyOfRange(before, 8192, before.length),
                java.util.Arrays.copyOfRange(after, 8192, before.length), "the old chunk's sectors");
        save(Map.of(0, section(3, 256)));
        assertEquals(after.length, Files.size(file), "then they are free");
    }

    @Test
    void aLargeChunkLiesBesideTheFile() throws IOException {
        byte[] large = new byte[300 * 4096];
        new Random(1).nextBytes(large);
        try (RegionFile file = new RegionFile(folder, REGION, true)) {
            file.write(Map.of(AT.index(), new RawChunk(RawChunk.NONE, large)), Set.of());
            assertTrue(Files.exists(folder.resolve("c.3.-1.mcc")));
            assertArrayEquals(large, file.read(AT.index()).data());
            file.write(Map.of(AT.index(), new RawChunk(RawChunk.NONE, new byte[10])), Set.of());
            assertFalse(Files.exists(folder.resolve("c.3.-1.mcc")));
        }
    }

    @Test
    void headersThatLieAreFound() throws IOException {
        save(Map.of(0, section(1, 20)));
        Path file = folder.resolve("r.0.-1.mca");
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer header = ByteBuffer.wrap(bytes);
        int location = header.getInt(4 * AT.index());
        for (int wrong : new int[]{0x101, 0x200, 0xFFFF01}) {
            header.putInt(4 * AT.index(), wrong);
            Files.write(file, bytes);
            assertThrows(UnreadableChunk.class, () -> store.anew().load(AT), Integer.toHexString(wrong));
        }
        header.putInt(4 * AT.index(), location).putInt(0, location);
        Files.write(file, bytes);
        assertThrows(UnreadableChunk.class, () -> store.anew().load(AT));
    }

    @Test
    void bothLayoutsOfFoldersAreKnownAndNotMixed(@TempDir Path world) throws IOException {
        assertEquals(world.resolve("region"), WorldFolders.regions(world, "minecraft:overworld"));
        Files.createDirectories(world.resolve("dimensions/minecraft/overworld/region"));
        assertEquals(world.resolve("dimensions/minecraft/the_end/region"),
                WorldFolders.regions(world, "minecraft:the_end"));
        Files.createDirectories(world.resolve("region"));
        assertThrows(IOException.class, () -> WorldFolders.regions(world, "minecraft:overworld"));
        assertThrows(IOException.class, () -> WorldFolders.regions(world, "a:../../b"));
    }

    @Test
    void aWorldIsOpenOnce(@TempDir Path world) throws IOException {
        try (SessionLock lock = SessionLock.take(world)) {
            assertThrows(IOException.class, () -> SessionLock.take(world));
            assertEquals("\u2603", Files.readString(world.resolve("session.lock")));
            assertTrue(lock != null);
        }
        SessionLock.take(world).close();
    }
}
