package bbd.companion.disk;

import bbd.companion.anvil.Durable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Copies of the descriptors of a world's disks in a folder elsewhere: a world's own folder can be replaced as a whole (a
 * migration of Minecraft 26.1, a backup that is put back), and without its descriptor a disk must be searched for.
 */
public final class Copies {
    private final Path world;
    private final Path folder;

    /** {@code folder} need not exist yet. */
    public Copies(Path world, Path folder) {
        this.world = world;
        this.folder = folder;
    }

    /** Copies what is new or was changed. It reads and writes files; not for the main thread. */
    public synchronized void refresh() throws IOException {
        for (String disk : DiskFiles.disks(world)) {
            byte[] content = Files.readAllBytes(world.resolve("bbd").resolve(disk + ".json"));
            Path copy = folder.resolve(disk + ".json");
            if (!Files.exists(copy) || !Arrays.equals(content, Files.readAllBytes(copy))) {
                Files.createDirectories(folder);
                Durable.replace(copy, content);
            }
        }
    }

    /** A line for each disk of which there is a copy and nothing in the world, saying what to do. */
    public synchronized List<String> missing() throws IOException {
        List<String> lines = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            List<String> there = DiskFiles.disks(world);
            try (var copies = Files.newDirectoryStream(folder, "*.json")) {
                for (Path copy : copies) {
                    String name = copy.getFileName().toString();
                    String disk = name.substring(0, name.length() - ".json".length());
                    if (!there.contains(disk)) {
                        lines.add("The world has no disk '" + disk + "' any more. If it was moved, copy " + copy
                                + " to "
                                + world.resolve("bbd") + " and start the server again; if it was removed, remove the"
                                + " copy.");
                    }
                }
            }
        }
        lines.sort(null);
        return lines;
    }
}
