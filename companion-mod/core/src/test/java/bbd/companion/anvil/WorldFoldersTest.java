package bbd.companion.anvil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders of servers that give every dimension one. */
class WorldFoldersTest {
    private static final String OVERWORLD = "minecraft:overworld";
    @TempDir
    Path folder;

    private Path made(String path) throws IOException {
        return Files.createDirectories(folder.resolve(path));
    }

    @Test
    void theRootIsWhereTheLevelIs() throws IOException {
        Path world = made("world");
        Files.createFile(world.resolve("level.dat"));
        assertEquals(world, WorldFolders.root(world));
        assertEquals(world, WorldFolders.root(world.resolve("dimensions/minecraft/disks")));
        Path bare = folder.resolve("other/dimensions/minecraft/disks");
        assertEquals(bare, WorldFolders.root(bare), "where there is none, it is what was asked about");
    }

    @Test
    void theOldLayout() throws IOException {
        Path world = folder.resolve("world");
        assertEquals(world.resolve("region"), WorldFolders.regions(world, world, OVERWORLD, OVERWORLD), "to be made");
        made("world/region");
        assertEquals(world.resolve("region"), WorldFolders.regions(world, world, OVERWORLD, OVERWORLD));
        Path nether = made("world_nether/DIM-1/region");
        assertEquals(nether, WorldFolders.regions(folder.resolve("world_nether"), folder.resolve("world_nether"),
                "minecraft:the_nether", "minecraft:the_nether"));
        Path extra = made("disks/region");
        assertEquals(extra, WorldFolders.regions(folder.resolve("disks"), folder.resolve("disks"), "minecraft:disks",
                OVERWORLD));
    }

    @Test
    void thatOf261WhateverTheServerCallsTheFolder() throws IOException {
        Path world = folder.resolve("world");
        Path region = made("world/dimensions/minecraft/overworld/region");
        Path disks = world.resolve("dimensions/minecraft/disks");
        assertEquals(region, WorldFolders.regions(world, world, OVERWORLD, OVERWORLD));
        assertEquals(region, WorldFolders.regions(region.getParent(), world, OVERWORLD, OVERWORLD));
        assertEquals(disks.resolve("region"), WorldFolders.regions(disks, world, "minecraft:disks", OVERWORLD),
                "to be made");
        made("world/dimensions/minecraft/disks/region");
        assertEquals(disks.resolve("region"), WorldFolders.regions(disks, world, "minecraft:disks", OVERWORLD));
        assertEquals(disks.resolve("region"), WorldFolders.regions(folder.resolve("disks"), world, "minecraft:disks",
                OVERWORLD));
    }

    @Test
    void bothAreRefused() throws IOException {
        Path world = folder.resolve("world");
        made("world/region");
        made("world/dimensions/minecraft/overworld/region");
        assertTrue(assertThrows(IOException.class, () -> WorldFolders.regions(world, world, OVERWORLD, OVERWORLD))
                .getMessage().contains("is there twice"));
        assertThrows(IOException.class, () -> WorldFolders.regions(world, world, "../x", OVERWORLD));
    }
}
