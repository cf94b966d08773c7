package bbd.companion.geometry;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** The endless Hilbert curve, taken at even orders (format.md, "hilbert"). */
public record Hilbert() implements Layout {
    @Override
    public Place place(long column) {
        long x = 0;
        long z = 0;
        long side = 1;
        for (long rest = column; rest != 0;) {
            for (int twice = 0; twice < 2; twice++) {
                long right = rest >>> 1 & 1;
                long far = (rest ^ right) & 1;
                if (far == 0) {
                    long kept = right == 1 ? side - 1 - x : x;
                    x = right == 1 ? side - 1 - z : z;
                    z = kept;
                }
                x += side * right;
                z += side * far;
                rest >>>= 2;
                side *= 2;
            }
        }
        return new Place(x, z);
    }

    @Override
    public OptionalLong column(long chunkX, long chunkZ) {
        if (chunkX < 0 || chunkZ < 0 || (chunkX | chunkZ) > Integer.MAX_VALUE) {
            return OptionalLong.empty();
        }
        long x = chunkX;
        long z = chunkZ;
        int levels = Long.SIZE - Long.numberOfLeadingZeros(x | z);
        levels += levels & 1;
        long column = 0;
        for (int level = levels - 1; level >= 0; level--) {
            long side = 1L << level;
            long right = x >> level & 1;
            long far = z >> level & 1;
            column = column << 2 | 3 * right ^ far;
            x &= side - 1;
            z &= side - 1;
            if (far == 0) {
                long kept = right == 1 ? side - 1 - x : x;
                x = right == 1 ? side - 1 - z : z;
                z = kept;
            }
        }
        return OptionalLong.of(column);
    }

    /** The aligned squares that make up the curve's beginning. */
    @Override
    public List<Rectangle> rectangles(long columns) {
        List<Rectangle> found = new ArrayList<>();
        long start = 0;
        for (int level = Long.SIZE / 2 - 2; level >= 0; level--) {
            long side = 1L << level;
            while (columns - start >= side * side) {
                Place place = place(start);
                found.add(new Rectangle(place.x() & -side, place.z() & -side, side, side));
                start += side * side;
            }
        }
        return found;
    }
}
