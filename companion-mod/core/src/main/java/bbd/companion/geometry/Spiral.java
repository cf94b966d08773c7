package bbd.companion.geometry;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** A square spiral around the origin, eastwards and then to the right (format.md, "spiral"). */
public record Spiral() implements Layout {
    private static final int SIDES = 4;

    @Override
    public Place place(long column) {
        if (column == 0) {
            return new Place(0, 0);
        }
        long ring = (root(column) + 1) / 2;
        long within = column - start(ring);
        long u = ring;
        long v = within % (2 * ring) + 1 - ring;
        for (long quarter = within / (2 * ring); quarter > 0; quarter--) {
            long turned = -v;
            v = u;
            u = turned;
        }
        return new Place(u, v);
    }

    @Override
    public OptionalLong column(long x, long z) {
        long ring = Math.max(Math.abs(x), Math.abs(z));
        if (ring == 0) {
            return OptionalLong.of(0);
        }
        long u = x;
        long v = z;
        for (int side = 0; side < SIDES; side++) {
            // A corner ends the side that runs into it.
            if (u == ring && v > -ring) {
                return OptionalLong.of(start(ring) + 2 * ring * side + v + ring - 1);
            }
            long turned = v;
            v = -u;
            u = turned;
        }
        throw new AssertionError();
    }

    /** The square of the whole rings, and up to four sides of the next. */
    @Override
    public List<Rectangle> rectangles(long columns) {
        List<Rectangle> found = new ArrayList<>();
        if (columns <= 0) {
            return found;
        }
        long ring = (root(columns) + 1) / 2;
        found.add(new Rectangle(1 - ring, 1 - ring, 2 * ring - 1, 2 * ring - 1));
        long rest = columns - start(ring);
        for (int side = 0; side < SIDES && rest > 0; side++) {
            Place from = place(start(ring) + 2 * ring * side);
            Place to = place(start(ring) + 2 * ring * side + Math.min(rest, 2 * ring) - 1);
            found.add(new Rectangle(Math.min(from.x(), to.x()), Math.min(from.z(), to.z()),
                    Math.abs(to.x() - from.x()) + 1, Math.abs(to.z() - from.z()) + 1));
            rest -= 2 * ring;
        }
        return found;
    }

    private static long start(long ring) {
        return (2 * ring - 1) * (2 * ring - 1);
    }

    private static long root(long number) {
        long root = (long) Math.sqrt(number);
        while (root * root > number) {
            root--;
        }
        while ((root + 1) * (root + 1) <= number) {
            root++;
        }
        return root;
    }
}
