package bbd.companion.geometry;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * Where in a section the bytes of a codec are (format.md). What the blocks mean is for the client alone; people in the
 * game are told offsets.
 */
public enum Codec {
    BYTE(4096), NIBBLE(2048), REDSTONE(128);

    private static final int STOREY = 256;
    private static final int LEVER_LEVEL = 2;
    private final int sectionSize;

    Codec(int sectionSize) {
        this.sectionSize = sectionSize;
    }

    public static Optional<Codec> named(String name) {
        for (Codec codec : values()) {
            if (codec.name().toLowerCase(java.util.Locale.ROOT).equals(name)) {
                return Optional.of(codec);
            }
        }
        return Optional.empty();
    }

    /** Payload bytes of a section. */
    public int sectionSize() {
        return sectionSize;
    }

    /** Block indices that hold a byte of a section, most significant bits first. */
    public int[] blocksOf(int at) {
        return switch (this) {
            case BYTE -> new int[]{at ^ 7};
            case NIBBLE -> new int[]{2 * (at ^ 7) + 1, 2 * (at ^ 7)};
            case REDSTONE -> levers(8 * at);
        };
    }

    private static int[] levers(int bit) {
        int[] found = new int[8];
        for (int i = 0; i < found.length; i++) {
            found[i] = (4 * (bit / STOREY) + LEVER_LEVEL) * STOREY + bit % STOREY + i;
        }
        return found;
    }

    /** The byte that a block holds a part of; none for scaffolding. */
    public OptionalInt byteAt(int block) {
        return switch (this) {
            case BYTE -> OptionalInt.of(block ^ 7);
            case NIBBLE -> OptionalInt.of(block / 2 ^ 7);
            case REDSTONE -> block / STOREY % 4 == LEVER_LEVEL
                    ? OptionalInt.of((block / STOREY / 4 * STOREY + block % STOREY) / 8)
                    : OptionalInt.empty();
        };
    }
}
