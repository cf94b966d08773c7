package bbd.companion.geometry;

import java.util.List;
import java.util.OptionalLong;

/** A column's number to its chunk, relative to the disk's origin, and back (format.md, "Layouts"). */
public sealed interface Layout permits Hilbert, Linear, Spiral {
    /** A chunk relative to the origin. */
    record Place(long x, long z) {}

    /** Chunks relative to the origin. */
    record Rectangle(long x, long z, long width, long depth) {
        boolean meets(Rectangle other) {
            return x < other.x + other.width && other.x < x + width && z < other.z + other.depth && other.z < z + depth;
        }

        Rectangle moved(int byX, int byZ) {
            return new Rectangle(x + byX, z + byZ, width, depth);
        }
    }

    /** The chunks of the first columns as disjoint rectangles, at most some hundreds. */
    List<Rectangle> rectangles(long columns);

    /** Where a column, from 0 on, is. */
    Place place(long column);

    /** The column at a chunk; none where no disk of this layout can reach. */
    OptionalLong column(long x, long z);
}
