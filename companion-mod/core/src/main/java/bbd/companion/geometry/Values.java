package bbd.companion.geometry;

import bbd.companion.blocks.BlockState;
import bbd.companion.disk.Descriptor;
import bbd.companion.protocol.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Reads the byte that blocks stand for, for people who look at them (format.md, "Codecs"). */
public final class Values {
    private static final List<String> DYES = List.of("white", "orange", "magenta", "light_blue", "yellow", "lime",
            "pink",
            "gray", "light_gray", "cyan", "purple", "blue", "brown", "green", "red", "black");
    private static final int LOST = -1;
    private final Map<String, Integer> bytes = new HashMap<>();
    private final Map<String, Integer> nibbles = new HashMap<>();

    /** Throws {@link IOException} where the palette is not among the program's files. */
    public Values() throws IOException {
        try (InputStream stream = Values.class.getResourceAsStream("/palette256.json")) {
            Map<?, ?> all = (Map<?, ?>) Json.parse(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
            for (Object entry : (List<?>) all.get("byte_to_block")) {
                bytes.put((String) ((Map<?, ?>) entry).get("name"), bytes.size());
            }
        }
        bytes.put("minecraft:air", 0);
        nibbles.put("minecraft:air", 0);
        for (String dye : DYES) {
            for (String kind : List.of("_concrete", "_wool")) {
                nibbles.put("minecraft:" + dye + kind, DYES.indexOf(dye));
            }
        }
    }

    /** The byte at an offset, or -1 where a block is none of the disk's; {@code look} says what stands where. */
    public int at(Descriptor disk, long offset, Function<Geometry.Block, BlockState> look) {
        Codec codec = disk.geometry().codec();
        int bits = switch (codec) {
            case BYTE -> 8;
            case NIBBLE -> 4;
            case REDSTONE -> 1;
        };
        int value = 0;
        for (Geometry.Block block : disk.geometry().locate(offset)) {
            int part = part(codec, look.apply(block));
            if (part == LOST) {
                return LOST;
            }
            value = value << bits | part;
        }
        return value;
    }

    private int part(Codec codec, BlockState block) {
        String name = block.name();
        return switch (codec) {
            case BYTE -> bytes.getOrDefault(name, LOST);
            case NIBBLE -> nibbles.getOrDefault(name, LOST);
            case REDSTONE -> lever(block);
        };
    }

    private static int lever(BlockState block) {
        if (block.isAir()) {
            return 0;
        }
        return !block.name().equals("minecraft:lever")
                ? LOST
                : "true".equals(block.properties().get("powered")) ? 1 : 0;
    }
}
