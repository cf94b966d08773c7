package bbd.companion.paper;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bukkit.block.BlockFace;
import org.bukkit.block.data.BlockData;
import org.bukkit.block.data.Directional;

/** Block states of a server that knows what begins with {@code minecraft:}, and that a lever has a face. */
record FakeData(String getAsString) implements BlockData {
    static final String AIR = "minecraft:air";
    private static final String LEVER = "minecraft:lever[face=wall,facing=north,powered=false]";
    private static final Map<String, BlockData> ALL = new ConcurrentHashMap<>();

    private record Facing(String getAsString, BlockFace getFacing) implements Directional {}

    /** Throws {@link IllegalArgumentException} for what the server does not know. */
    static BlockData of(String text) {
        if (!text.startsWith("minecraft:")) {
            throw new IllegalArgumentException("Could not parse data: " + text);
        }
        return ALL.computeIfAbsent(text.equals("minecraft:lever") ? LEVER : text,
                whole -> whole.startsWith("minecraft:dispenser")
                        ? new Facing(whole, BlockFace.EAST)
                        : new FakeData(whole));
    }
}
