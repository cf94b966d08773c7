package bbd.companion.blocks;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A block with those of its properties that somebody knows. */
public record BlockState(String name, Map<String, String> properties) {
    public static final BlockState AIR = new BlockState("minecraft:air");
    private static final Set<String> AIR_NAMES = Set.of("minecraft:air", "minecraft:cave_air", "minecraft:void_air");

    public BlockState {
        properties = new TreeMap<>(properties);
    }

    public BlockState(String name) {
        this(name, Map.of());
    }

    public boolean isAir() {
        return AIR_NAMES.contains(name);
    }

    /** {@code minecraft:lever[face=floor,powered=true]}, or the name alone. */
    @Override
    public String toString() {
        if (properties.isEmpty()) {
            return name;
        }
        StringBuilder out = new StringBuilder(name);
        char before = '[';
        for (Map.Entry<String, String> entry : properties.entrySet()) {
            out.append(before).append(entry.getKey()).append('=').append(entry.getValue());
            before = ',';
        }
        return out.append(']').toString();
    }

    /** What {@link #toString} says. Throws {@link IllegalArgumentException}. */
    public static BlockState parse(String text) {
        int open = text.indexOf('[');
        if (open < 0) {
            return new BlockState(text);
        }
        if (!text.endsWith("]")) {
            throw new IllegalArgumentException(text + " is no block state");
        }
        Map<String, String> properties = new TreeMap<>();
        for (String pair : text.substring(open + 1, text.length() - 1).split(",")) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException(text + " is no block state");
            }
            properties.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        return new BlockState(text.substring(0, open), properties);
    }
}
