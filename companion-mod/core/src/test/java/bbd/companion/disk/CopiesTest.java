package bbd.companion.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CopiesTest {
    @TempDir
    Path folder;

    @Test
    void copiesFollowTheWorldAndOutliveIt() throws IOException {
        Path world = folder.resolve("world");
        Path copy = folder.resolve("copies/demo.json");
        Copies copies = new Copies(world, copy.getParent());
        copies.refresh();
        assertFalse(Files.exists(copy.getParent()), "of nothing there is no copy");
        Files.createDirectories(world.resolve("bbd"));
        Files.writeString(world.resolve("bbd/demo.json"), "one");
        copies.refresh();
        assertEquals("one", Files.readString(copy));
        Files.writeString(world.resolve("bbd/demo.json"), "two");
        copies.refresh();
        assertEquals("two", Files.readString(copy));
        assertEquals(List.of(), copies.missing());
        Files.delete(world.resolve("bbd/demo.json"));
        copies.refresh();
        assertEquals("two", Files.readString(copy));
        String line = copies.missing().get(0);
        assertTrue(line.contains("no disk 'demo' any more") && line.contains(copy.toString()), line);
    }
}
