package bbd.companion.anvil;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Where a world keeps the region files of a dimension: today's layout of folders, and that of 26.1 on. */
public final class WorldFolders {
    private static final Map<String, String> OLD = Map.of("minecraft:overworld", "region", "minecraft:the_nether",
            "DIM-1/region", "minecraft:the_end", "DIM1/region");
    private static final Pattern NAME = Pattern.compile("[a-z0-9_-]+(\\.[a-z0-9_-]+)*:[a-z0-9_-]+(/[a-z0-9_-]+)*");

    private WorldFolders() {}

    /** Throws {@link IOException} for a name that is none, and for a world that holds the dimension in both layouts. */
    public static Path regions(Path world, String dimension) throws IOException {
        if (!NAME.matcher(dimension).matches()) {
            throw new IOException("'" + dimension + "' is no dimension's name");
        }
        Path dimensions = world.resolve("dimensions");
        Path named = dimensions.resolve(dimension.replace(':', '/')).resolve("region");
        if (!OLD.containsKey(dimension)) {
            return named;
        }
        Path old = world.resolve(OLD.get(dimension));
        if (!Files.exists(dimensions.resolve("minecraft/overworld"))) {
            return old;
        }
        if (Files.exists(old)) {
            throw new IOException(world + " holds " + dimension + " twice, in " + old + " and in " + named
                    + ": open it in the newest game that saved it, and remove the folder that the game does not use");
        }
        return named;
    }

    /** The folder of the world, with its {@code level.dat}, that a dimension's folder belongs to; often it is the same. */
    public static Path root(Path folder) {
        for (Path above = folder; above != null; above = above.getParent()) {
            if (Files.exists(above.resolve("level.dat"))) {
                return above;
            }
        }
        return folder;
    }

    /**
     * Where a dimension's region files are, for a server that gives every dimension a folder: seen from what is on the
     * disk, since servers differ in what they call that folder. Throws {@link IOException} where there are two.
     *
     * @param folder what the server calls the dimension's folder
     * @param root {@link #root} of it
     * @param name the dimension's name
     * @param kind which of the game's own three dimensions it is like
     */
    public static Path regions(Path folder, Path root, String name, String kind) throws IOException {
        if (!NAME.matcher(name).matches() || !OLD.containsKey(kind)) {
            throw new IOException("'" + name + "' is no dimension's name");
        }
        Path named = root.resolve("dimensions").resolve(name.replace(':', '/')).resolve("region");
        Path old = folder.resolve(OLD.get(kind));
        Set<Path> places = new LinkedHashSet<>(List.of(old, folder.resolve("region"), named));
        List<Path> found = places.stream().filter(Files::isDirectory).toList();
        if (found.size() > 1) {
            throw new IOException(name + " is there twice, in " + found.get(0) + " and in " + found.get(1)
                    + ": remove the folder that the game does not use");
        }
        if (found.isEmpty()) {
            return Files.exists(root.resolve("dimensions/minecraft/overworld")) ? named : old;
        }
        return found.get(0);
    }
}
