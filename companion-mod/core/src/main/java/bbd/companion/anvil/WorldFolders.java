package bbd.companion.anvil;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
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
}
