package bbd.companion;

import bbd.companion.server.ServerAdapter;
import bbd.companion.server.ServerInfo;
import bbd.companion.server.WorldAdapter;
import java.nio.file.Path;
import java.util.Optional;

/** A server that is nothing but its overworld, in a folder. */
public record MemoryServer(Path world, MemoryWorld overworld) implements ServerAdapter {
    public static final String OVERWORLD = "minecraft:overworld";

    @Override
    public ServerInfo info() {
        return new ServerInfo("Memory", "1", "26.1.2", 775);
    }

    @Override
    public Optional<WorldAdapter> dimension(String name) {
        return name.equals(OVERWORLD) ? Optional.of(overworld) : Optional.empty();
    }

    @Override
    public int players() {
        return 0;
    }
}
