package bbd.companion.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import bbd.companion.MemoryWorld;
import bbd.companion.blocks.BlockState;
import bbd.companion.blocks.ChunkPos;
import bbd.companion.blocks.Column;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which changes are taken for ones that nobody told. */
class SweepTest {
    private static final ChunkPos AT = new ChunkPos(0, 0);
    private static final int MANY = 100;
    @TempDir
    Path folder;
    private final Known known = new Known();
    private final Set<ChunkPos> written = new HashSet<>();
    private MemoryWorld world;
    private Sweep sweep;

    @BeforeEach
    void begin() {
        world = new MemoryWorld(folder);
        world.hold(AT, false);
        sweep = new Sweep(new Context(1, world, null, null, null, new DiskStats(), known), "demo", written::contains);
        change("a");
        see();
    }

    private void change(String block) {
        char[][] sections = new char[Column.SECTIONS][];
        sections[3] = new char[Column.BLOCKS];
        sections[3][7] = world.states().number(new BlockState("minecraft:" + block));
        world.put(AT, 1 << 3, sections);
    }

    private long stamp() {
        return world.peek(AT).stamp(world.states().air());
    }

    private void see() {
        known.seen(AT, stamp(), known.edits(AT));
    }

    @Test
    void aChangeThatNobodyTellsIsFoundOnce() {
        assertEquals(List.of(), sweep.look(1));
        change("b");
        assertEquals(List.of(), sweep.look(1), "it may be about to be told");
        assertEquals(List.of(AT), sweep.look(1));
        assertEquals(List.of(), sweep.look(1));
        assertEquals(List.of(), sweep.look(1));
        assertEquals(stamp(), known.stamp(AT));
    }

    @Test
    void aChangeThatIsToldAfterItWasMadeIsNone() {
        change("b");
        assertEquals(List.of(), sweep.look(1));
        known.edited(AT);
        assertEquals(List.of(), sweep.look(1));
        see();
        assertEquals(List.of(), sweep.look(1));
        assertEquals(List.of(), sweep.look(1));
    }

    @Test
    void anotherDoubtIsNotTheSame() {
        change("b");
        assertEquals(List.of(), sweep.look(1));
        known.edited(AT);
        see();
        change("c");
        assertEquals(List.of(), sweep.look(1));
        assertEquals(List.of(AT), sweep.look(1));
    }

    @Test
    void whatIsBeingWrittenIsNotLookedAt() {
        change("b");
        written.add(AT);
        assertEquals(List.of(), sweep.look(1));
        assertEquals(List.of(), sweep.look(1));
        written.clear();
        see();
        assertEquals(List.of(), sweep.look(1));
        assertEquals(List.of(), sweep.look(1));
    }

    @Test
    void whatWasSeenBeforeAnEditIsThePast() {
        long edits = known.edits(AT);
        long before = stamp();
        change("b");
        known.edited(AT);
        known.seen(AT, before, edits);
        assertNull(known.stamp(AT));
        ChunkPos fresh = new ChunkPos(1, 0);
        known.edited(fresh);
        known.seen(fresh, 5, 0);
        assertNull(known.stamp(fresh), "of a column that nobody had looked at, too");
        assertEquals(List.of(), known.columns());
    }

    @Test
    void allHaveTheirTurn() {
        for (int i = 1; i <= MANY; i++) {
            known.seen(new ChunkPos(i, 0), 5, 0);
        }
        Set<ChunkPos> found = new HashSet<>();
        for (int i = 0; i < MANY; i++) {
            found.addAll(sweep.look(7));
        }
        assertEquals(MANY, found.size(), "they are air by now");
    }
}
