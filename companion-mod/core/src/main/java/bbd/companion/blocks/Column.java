package bbd.companion.blocks;

/**
 * What stood in the sections 0 to 19 of a chunk when somebody looked, by state numbers.
 *
 * @param sections {@link #SECTIONS} entries: 4096 numbers in the game's order (y &lt;&lt; 8 | z &lt;&lt; 4 | x), or
 *        null for air all over (which an array may be as well)
 */
public record Column(char[][] sections) {
    public static final int SECTIONS = 20;
    public static final int BLOCKS = 4096;
    public static final int ALL = (1 << SECTIONS) - 1;

    public static Column empty() {
        return new Column(new char[SECTIONS][]);
    }

    /** Whether a section is air all over. */
    public static boolean isAir(char[] section, char air) {
        if (section != null) {
            for (char number : section) {
                if (number != air) {
                    return false;
                }
            }
        }
        return true;
    }

    /** The stamp (PROTOCOL.md): 0 for a column of air, else a hash of its blocks. */
    public long stamp(char air) {
        long stamp = 0;
        for (int i = 0; i < SECTIONS; i++) {
            if (!isAir(sections[i], air)) {
                stamp = mixed(stamp ^ hash(sections[i], i + 1));
            }
        }
        return stamp;
    }

    /** Four sums at a time, so that they need not wait for each other. */
    private static long hash(char[] section, long seed) {
        long a = seed;
        long b = ~seed;
        long c = seed << 32;
        long d = 0x9E3779B97F4A7C15L;
        for (int i = 0; i < BLOCKS; i += 16) {
            a = (a ^ four(section, i)) * 0x9FB21C651E98DF25L;
            a ^= a >>> 29;
            b = (b ^ four(section, i + 4)) * 0xD6E8FEB86659FD93L;
            b ^= b >>> 31;
            c = (c ^ four(section, i + 8)) * 0xC2B2AE3D27D4EB4FL;
            c ^= c >>> 30;
            d = (d ^ four(section, i + 12)) * 0xA0761D6478BD642FL;
            d ^= d >>> 32;
        }
        return mixed(mixed(mixed(a ^ seed) + b) ^ mixed(c + d));
    }

    private static long four(char[] section, int at) {
        return section[at] | (long) section[at + 1] << 16 | (long) section[at + 2] << 32
                | (long) section[at + 3] << 48;
    }

    private static long mixed(long value) {
        long z = (value ^ value >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        z ^= z >>> 31;
        // Only a column of air has stamp 0.
        return z == 0 ? 1 : z;
    }
}
