package bbd.companion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.blocks.BlockState;
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
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Blocks through the bridge: what is written, read, confirmed and refused. */
class BridgeSectionsTest extends BridgeFixture {
    @Test
    void whatIsWrittenIsConfirmedAndReadAgain() throws Exception {
        Client client = opened();
        assertEquals(Frames.Status.ABSENT, client.read(5, 0).status());
        Frames.Outcome outcome = client.written(change(5, 0, 7, 3, section(1)));
        assertEquals(0, outcome.code());
        Frames.Outcome confirmed = client.confirmed();
        assertEquals(0, confirmed.code());
        assertEquals(7, confirmed.generation());
        assertTrue(world.files().anew().column(new ChunkPos(5, 0)).isPresent(), "it is in the file");
        assertEquals(Set.of(), world.holds.keySet(), "no chunk is kept for nothing");
        Frames.Standing standing = client.read(5, 0);
        assertArrayEquals(Indices.of(section(1)), standing.sections()[3]);
        assertEquals(outcome.stamp(), standing.stamp());
        assertEquals(7, standing.generation());
    }

    @Test
    void anUnseenChangeIsNotWrittenOver() throws Exception {
        Client client = opened();
        Frames.Outcome first = client.written(change(5, 0, 1, 3, section(1)));
        assertEquals(14, client.written(change(5, 0, 2, 3, section(2))).code());
        assertEquals(14, client.written(change(5, first.stamp() + 1, 2, 3, section(2))).code());
        assertArrayEquals(Indices.of(section(1)), client.read(5, 0).sections()[3]);
        Frames.Outcome second = client.written(change(5, first.stamp(), 2, 4, section(2)));
        assertEquals(0, second.code());
        assertNotEquals(first.stamp(), second.stamp());
        assertArrayEquals(Indices.of(section(1)), client.read(5, 0).sections()[3], "the other section stays");
    }

    @Test
    void manyWritesInFlightOfOneColumnKeepTheirOrder() throws Exception {
        Client client = opened();
        for (int i = 1; i <= 50; i++) {
            byte[][] sections = new byte[Frames.SECTIONS][];
            sections[0] = Indices.of(section(i));
            Frames.Change change = new Frames.Change(1, 1, false, false, 1, 0, 0, i, sections);
            client.send(Frames.write(new Frames.Write(1000 + i, 1, List.of(change), 0)));
        }
        assertEquals(Map.of(), client.ask("\"do\": \"sync\", \"disk\": 1"));
        Frames.Standing standing = client.read(1, 1);
        assertEquals(50, standing.generation());
        assertArrayEquals(Indices.of(section(50)), standing.sections()[0]);
    }

    @Test
    void failuresConfirmNothingAndAreTriedAgain() throws Exception {
        Client client = opened();
        world.failing = new IOException("No space left on device");
        assertEquals(0, client.written(change(5, 0, 7, 3, section(1))).code());
        assertEquals(17, client.confirmed().code());
        assertEquals("no_space", client.ask("\"do\": \"sync\", \"disk\": 1").get("code"));
        assertEquals(0, client.written(change(6, 0, 8, 3, section(2))).code());
        Frames.Outcome later = client.confirmed();
        assertEquals(17, later.code(), "what was applied since the first failure is told, too");
        assertEquals(6, later.x());
        world.failing = null;
        assertEquals(0, client.confirmed().code());
    }

    @Test
    void whatAClientLeftIsWaitedForByTheNext() throws Exception {
        Client first = opened();
        world.failing = new IOException("No space left on device");
        first.written(change(5, 0, 7, 3, section(1)));
        assertEquals(17, first.confirmed().code());
        first.closeBlocking();
        Client second = greeted("other");
        Map<?, ?> opened = openedAfterAnother(second);
        second.send(Frames.write(new Frames.Read(900, (Long) opened.get("disk"),
                List.of(new Frames.Wanted(5, 0, Frames.ALL_SECTIONS)))));
        assertArrayEquals(Indices.of(section(1)),
                second.next(Frames.Columns.class).columns().get(0).sections()[3], "it is in memory");
        String disk = "\"disk\": " + opened.get("disk");
        assertEquals("no_space", second.ask("\"do\": \"sync\", " + disk).get("code"));
        assertEquals("no_space", second.ask("\"do\": \"pause\", " + disk).get("code"));
        assertEquals(1L, ((Map<?, ?>) ((List<?>) second.ask("\"do\": \"stats\"").get("disks")).get(0))
                .get("unconfirmed"));
        world.failing = null;
        assertEquals(Map.of(), second.ask("\"do\": \"sync\", " + disk));
        assertTrue(world.files().anew().column(new ChunkPos(5, 0)).isPresent(), "it is in the file");
    }

    static Map<?, ?> openedAfterAnother(Client client) throws InterruptedException {
        Map<?, ?> answer = client.ask(OPEN);
        while (!answer.containsKey("disk")) {
            assertEquals("in_use", answer.get("code"));
            answer = client.ask(OPEN);
        }
        return answer;
    }

    @Test
    void aServerThatOnlyClaimsToHaveSavedConfirmsNothing() throws Exception {
        Client client = opened();
        world.lying = true;
        client.written(change(5, 0, 7, 3, section(1)));
        Thread.sleep(500);
        assertTrue(client.told.isEmpty(), "confirmed: " + client.told);
        world.lying = false;
        assertEquals(7, client.confirmed().generation());
    }

    @Test
    void blocksOutsideThePaletteAreToldByName() throws Exception {
        Client client = opened();
        char[][] sections = new char[Frames.SECTIONS][];
        sections[2] = new char[Indices.BLOCKS];
        sections[2][9] = world.states().number(new BlockState("minecraft:c", Map.of("axis", "x")));
        synchronized (world) {
            world.loaded.put(new ChunkPos(2, 0), sections);
        }
        client.send(Frames.write(new Frames.Read(77, 1, List.of(new Frames.Wanted(2, 0, 4)))));
        Map<?, ?> blocks = client.push("blocks");
        assertEquals(3L, blocks.get("first"));
        assertEquals(List.of(Map.of("name", "minecraft:c", "properties", Map.of("axis", "x"))), blocks.get("blocks"));
        byte[] found = client.next(Frames.Columns.class).columns().get(0).sections()[2];
        assertEquals(3, Indices.at(found, 9));
        assertEquals(2, Indices.at(found, 8), "air is the palette's");
    }

    @Test
    void anUnreadableChunkIsAnErrorUntilItIsReplaced() throws Exception {
        Client client = opened();
        client.written(change(5, 0, 1, 3, section(1)));
        client.ask("\"do\": \"sync\", \"disk\": 1");
        Path file = folder.resolve("region/r.0.0.mca");
        byte[] bytes = Files.readAllBytes(file);
        int sector = ByteBuffer.wrap(bytes).getInt(4 * 5) >>> 8;
        java.util.Arrays.fill(bytes, sector * 4096 + 5, sector * 4096 + 100, (byte) 0x55);
        Files.write(file, bytes);
        assertEquals(Frames.Status.UNREADABLE, client.read(5, 0).status());
        assertEquals(15, client.written(change(5, 0, 2, 3, section(2))).code());
        Map<?, ?> raw = client.ask("\"do\": \"raw\", \"disk\": 1, \"x\": 5, \"z\": 0, \"at\": 1, \"size\": 3");
        assertEquals("VVVV", raw.get("data"));
        Frames.Change change = change(5, 0, 3, 3, section(2));
        assertEquals(0, client.written(
                new Frames.Change(5, 0, true, true, change.mask(), 0, 0, 3, change.sections())).code());
        assertEquals(0, client.confirmed().code());
        assertArrayEquals(Indices.of(section(2)), client.read(5, 0).sections()[3]);
    }

    @Test
    void whatIsOutsideIsRefused() throws Exception {
        Client client = opened();
        client.send(Frames.write(new Frames.Read(900, 1, List.of(new Frames.Wanted(-1, 0, 1)))));
        assertEquals("outside", ((Map<?, ?>) client.next(Map.class).get("error")).get("code"));
        client.send(Frames.write(new Frames.Write(901, 1, List.of(change(0, 0, 1, 19, section(1))), 0)));
        assertEquals("outside", ((Map<?, ?>) client.next(Map.class).get("error")).get("code"));
    }

    @Test
    void whatAClientHadNotWrittenWhenItWentIsNotWrittenLater() throws Exception {
        Client first = opened();
        ticks.shutdown();
        assertTrue(ticks.awaitTermination(10, TimeUnit.SECONDS));
        first.send(Frames.write(new Frames.Write(900, 1, List.of(change(5, 0, 1, 3, section(1))), 0)));
        // Answered by the thread that has taken the write: it waits for a tick now.
        first.ask("\"do\": \"stats\"");
        first.closeBlocking();
        Client second = greeted("other");
        openedAfterAnother(second);
        second.send(Frames.write(new Frames.Read(901, 2, List.of(new Frames.Wanted(5, 0, Frames.ALL_SECTIONS)))));
        assertEquals(Frames.Status.ABSENT, second.next(Frames.Columns.class).columns().get(0).status());
        for (int i = 0; i < 20; i++) {
            companion.tick(2);
            Thread.sleep(10);
        }
        second.send(Frames.write(new Frames.Read(902, 2, List.of(new Frames.Wanted(5, 0, Frames.ALL_SECTIONS)))));
        assertEquals(Frames.Status.ABSENT, second.next(Frames.Columns.class).columns().get(0).status());
    }
}
