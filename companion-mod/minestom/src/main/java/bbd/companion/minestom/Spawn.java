package bbd.companion.minestom;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import net.kyori.adventure.nbt.BinaryTagIO;
import net.kyori.adventure.nbt.CompoundBinaryTag;
import net.minestom.server.coordinate.Pos;

/** Where a world's players begin, as its level.dat says. */
final class Spawn {
    private static final int COORDINATES = 3;

    private Spawn() {}

    /** Throws {@link IOException} for a folder that is no world. */
    static Pos of(Path world) throws IOException {
        Path file = world.resolve("level.dat");
        if (!Files.isRegularFile(file)) {
            throw new IOException(world + " is no Minecraft world: it has no level.dat");
        }
        CompoundBinaryTag level;
        try {
            level = BinaryTagIO.unlimitedReader().read(file, BinaryTagIO.Compression.GZIP);
        } catch (IOException | RuntimeException error) {
            throw new IOException(file + " can't be read: " + error.getMessage(), error);
        }
        CompoundBinaryTag data = level.getCompound("Data");
        // Since 1.21.9 the place is a compound of its own.
        int[] place = data.getCompound("spawn").getIntArray("pos");
        return place.length == COORDINATES
                ? on(place[0], place[1], place[2])
                : on(data.getInt("SpawnX"), data.getInt("SpawnY"), data.getInt("SpawnZ"));
    }

    private static Pos on(int x, int y, int z) {
        return new Pos(x + 0.5, y, z + 0.5);
    }
}
