package bbd.companion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.protocol.Frames;
import bbd.companion.protocol.Indices;
import bbd.companion.server.BlockEdit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What players and operators do, and what clients of the bridge hear of it. */
class BridgeGameTest extends BridgeFixture {
    @Test
    void editsAreCancelledOrTold() throws Exception {
        Client client = opened();
        assertFalse(companion.edits().allows(OVERWORLD, 10, 5, 10));
        assertTrue(companion.edits().allows(OVERWORLD, 10, -5, 10), "below the disk");
        assertTrue(companion.edits().allows(OVERWORLD, -10, 5, 10), "beside it");
        companion.disks().protect("demo", false);
        assertTrue(companion.edits().allows(OVERWORLD, 10, 5, 10));
        companion.edits().changed(new BlockEdit(OVERWORLD, 10, 40, 10, "a", "b", "block_place", "Steve"));
        Map<?, ?> changed = client.push("changed");
        assertEquals(List.of(Map.of("x", 0L, "z", 0L, "mask", 4L, "count", 1L)), changed.get("columns"));
        assertEquals("Steve", ((Map<?, ?>) ((List<?>) changed.get("edits")).get(0)).get("who"));
    }

    @Test
    void whatNoEventTellsIsFound() throws Exception {
        Client client = opened();
        client.written(change(5, 0, 1, 3, section(1)));
        client.ask("\"do\": \"sync\", \"disk\": 1");
        char[][] sections = new char[Frames.SECTIONS][];
        sections[3] = new char[Indices.BLOCKS];
        sections[3][0] = 1;
        synchronized (world) {
            world.loaded.put(new ChunkPos(5, 0), sections);
        }
        Map<?, ?> edit = (Map<?, ?>) ((List<?>) client.push("changed").get("edits")).get(0);
        assertEquals("unseen", edit.get("cause"));
    }

    @Test
    void aPauseInTheGameOutlivesAConnection() throws Exception {
        Client first = greeted("me");
        assertEquals(false, first.ask(OPEN).get("paused"));
        companion.commands().run(List.of("pause", "demo"), "op", line -> {});
        assertEquals("paused", first.push("paused").get("push"));
        Client second = greeted("me");
        Map<?, ?> answer = second.ask(OPEN);
        assertEquals(true, answer.get("paused"));
        second.send(Frames.write(new Frames.Write(900, (Long) answer.get("disk"),
                List.of(change(5, 0, 1, 3, section(1))), 0)));
        Thread.sleep(200);
        assertTrue(second.told.isEmpty());
        companion.commands().run(List.of("resume", "demo"), "op", line -> {});
        assertEquals(0, second.next(Frames.Outcomes.class).columns().get(0).code());
        companion.commands().run(List.of("pause", "demo"), "op", line -> {});
        second.ask("\"do\": \"close\", \"disk\": 2");
        assertTrue(companion.commands().run(List.of("resume", "demo"), "op", line -> {}).lines().get(0)
                .contains("goes on when"));
        assertEquals(false, second.ask(OPEN).get("paused"));
    }

    @Test
    void commandsSpeakOfOffsets() {
        var commands = companion.commands();
        var where = commands.run(List.of("where", "0x100"), "op", line -> {});
        assertEquals(7, where.destination().orElseThrow().x());
        assertEquals(1, where.destination().orElseThrow().y());
        assertEquals(0x100, commands.what(OVERWORLD, 7, 1, 0).orElseThrow().offset());
        assertEquals("demo 0x100: 0x41 'A'", commands.what(OVERWORLD, 7, 1, 0).orElseThrow().describe('A'));
        assertTrue(commands.what(OVERWORLD, 7, 300, 0).isEmpty());
        assertTrue(commands.run(List.of("where", "64M"), "op", line -> {}).lines().get(0).contains("ends before"));
        assertTrue(commands.run(List.of("where", "x"), "op", line -> {}).lines().get(0).contains("no offset"));
        assertTrue(commands.run(List.of("info"), "op", line -> {}).lines().get(0).startsWith("demo: 64 MiB"));
        assertTrue(commands.run(List.of("pause"), "op", line -> {}).lines().get(0).contains("Nobody"));
        assertEquals(List.of("pause", "protect"), commands.complete(List.of("p")));
    }
}
