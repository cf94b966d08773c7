package bbd.companion.protocol;

/** A section's 4096 indices as they stand in a frame: of one byte each (narrow), or of two (wide). */
public final class Indices {
    public static final int BLOCKS = 4096;
    private static final int NARROW = 0xFF;

    private Indices() {}

    public static boolean isWide(byte[] section) {
        return section.length != BLOCKS;
    }

    /** The index of one block. */
    public static char at(byte[] section, int block) {
        return isWide(section)
                ? (char) (section[2 * block] & NARROW | (section[2 * block + 1] & NARROW) << Byte.SIZE)
                : (char) (section[block] & NARROW);
    }

    /** Wide only where an index needs it. */
    public static byte[] of(char[] indices) {
        int all = 0;
        for (char index : indices) {
            all |= index;
        }
        byte[] section = new byte[all > NARROW ? 2 * BLOCKS : BLOCKS];
        for (int i = 0; i < BLOCKS; i++) {
            if (all > NARROW) {
                section[2 * i] = (byte) indices[i];
                section[2 * i + 1] = (byte) (indices[i] >> Byte.SIZE);
            } else {
                section[i] = (byte) indices[i];
            }
        }
        return section;
    }

    public static char[] chars(byte[] section) {
        char[] indices = new char[BLOCKS];
        for (int i = 0; i < BLOCKS; i++) {
            indices[i] = at(section, i);
        }
        return indices;
    }
}
